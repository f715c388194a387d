package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// maxFields is how many fields a form may have.
const maxFields = 1000

// decodeForm makes a record of a form: the attributes of a LogRecord of Python's
// logging, each as str() prints it, or any form with a message.
func decodeForm(d *wire.Decoder, encoded string) (*core.Record, error) {
	values, err := url.ParseQuery(encoded)
	if err != nil {
		return nil, refusef(http.StatusBadRequest, "the form cannot be read: %v", err)
	}
	if len(values) > maxFields {
		return nil, refusef(http.StatusBadRequest, "the form has %d fields: send %d at most", len(values), maxFields)
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	fields := make(core.Fields, 0, len(names))
	var args any
	for _, name := range names {
		text := values.Get(name)
		if name == "args" {
			args = parseArgs(text)
			continue
		}
		fields = append(fields, core.Field{Key: name, Value: plainValue(name, text)})
	}
	if args != nil && values.Get("message") == "" {
		fields = append(fields, core.Field{Key: "args", Value: args})
	}
	fields.Delete("exc_info") // the address of an object
	complete(&fields)
	r, err := d.FromFields(fields)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// complete adds what the form of a simple client may lack for being taken as
// a record of logging.
func complete(f *core.Fields) {
	if _, ok := f.Lookup("msg"); !ok {
		for _, alias := range []string{"message", "text"} {
			if v, ok := f.Lookup(alias); ok {
				f.Set("msg", v)
				break
			}
		}
	}
	_, number := f.Lookup("levelno")
	if _, name := f.Lookup("levelname"); !number && !name {
		level := "INFO"
		if text, ok := f.Get("level").(string); ok && text != "" {
			level = strings.ToUpper(text)
			f.Delete("level")
		}
		f.Set("levelname", level)
	}
}

// plainValue returns the value that Python printed: None, and numbers where
// numbers belong. Everything else stays the text that it is.
func plainValue(name, text string) any {
	switch name {
	case "levelno", "lineno", "process", "thread":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	case "created", "msecs", "relativeCreated":
		if x, err := strconv.ParseFloat(text, 64); err == nil {
			return x
		}
	}
	if text == "None" && name != "msg" && name != "message" {
		return nil
	}
	return text
}

// parseArgs returns the arguments of a message from what repr() makes of them: a
// list for a tuple, a dictionary, or nil if they cannot be read.
func parseArgs(text string) any {
	p := literal{text: text}
	v, ok := p.value(0)
	if p.space(); !ok || p.text != "" {
		return nil
	}
	switch v := v.(type) {
	case []any:
		if len(v) > 0 {
			return v
		}
	case map[string]any:
		return v
	}
	return nil
}
