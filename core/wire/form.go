package wire

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
)

// DecodeForm makes a record of what Python's HTTPHandler sends as the query of a GET
// or the form of a POST, "name=shop&msg=...": the attributes of a record of the
// logging package, each as its text. The template is formatted with the
// arguments as far as these are literals. Tracebacks do not travel this way unless
// another handler has formatted the record before; the exception itself does. The form of any
// other client is one too if it has a message, as msg, message or text; its level is levelno,
// levelname or level, else INFO. Errors are of type [*RejectError].
func (d *Decoder) DecodeForm(form string) (*core.Record, error) {
	if form == "" {
		return nil, &RejectError{Reason: ReasonEmpty}
	}
	if len(form) > d.maxSize {
		return nil, tooLarge(len(form), d.maxSize)
	}
	var list fieldList
	for n := 0; form != ""; n++ {
		if n > MaxValues {
			return nil, &RejectError{Reason: ReasonTooMany}
		}
		var pair string
		pair, form, _ = strings.Cut(form, "&")
		name, value, _ := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil {
			return nil, &RejectError{ReasonMalformed, "bad escape in a form"}
		}
		if pair != "" {
			list.set(strings.ToValidUTF8(name, "\ufffd"), formValue(name, strings.ToValidUTF8(value, "\ufffd")))
		}
	}
	completeForm(&list.fields)
	r, err := d.FromFields(list.fields)
	if err == nil {
		formException(r, list.fields)
	}
	return r, err
}

// completeForm adds what the form of a simple client may lack for being taken as a record of
// logging.
func completeForm(f *core.Fields) {
	if _, ok := f.Lookup("msg"); !ok {
		for _, alias := range []string{"message", "text"} {
			if v, ok := f.Lookup(alias); ok {
				f.Set("msg", v)
				break
			}
		}
	}
	_, message := f.Lookup("msg")
	_, number := f.Lookup("levelno")
	_, name := f.Lookup("levelname")
	if !message || number || name {
		return
	}
	level := "INFO"
	if text, ok := f.Get("level").(string); ok && text != "" {
		level = strings.ToUpper(text)
		f.Delete("level")
	}
	f.Set("levelname", level)
}

// formValue turns the text of an attribute into what it is the text of. Extra data stay
// text: what they were cannot be told.
func formValue(name, value string) any {
	switch name {
	case "exc_info":
		return value
	case "args":
		if v, ok := pythonLiteral(value); ok {
			return v
		}
		return value
	case "created", "time", "timestamp":
		if f, err := strconv.ParseFloat(value, 64); err == nil {
			return f
		}
	case "exc_text", "stack_info", "taskName", "funcName", "threadName", "processName", "process", "thread":
		if value == "None" {
			return nil
		}
	}
	return value
}

// formException makes the exception of the text of exc_info, such as "(<class
// 'ZeroDivisionError'>, ZeroDivisionError('division by zero'), <traceback object at
// 0x7f>)".
func formException(r *core.Record, f core.Fields) {
	text, _ := f.Get("exc_info").(string)
	rest, ok := strings.CutPrefix(text, "(<")
	if !ok || r.Exception != nil {
		return
	}
	_, rest, ok1 := strings.Cut(rest, "'") // class or, in Python 2, type
	name, rest, ok2 := strings.Cut(rest, "'>, ")
	if !ok1 || !ok2 {
		return
	}
	value := rest
	if i := strings.LastIndex(rest, ", <traceback"); i >= 0 {
		value = rest[:i]
	}
	r.Exception = &core.Exception{Name: name, Message: exceptionText(value)}
}

// exceptionText returns the text in "ValueError('text')", else all of it.
func exceptionText(repr string) string {
	open := strings.IndexByte(repr, '(')
	if open < 0 || !strings.HasSuffix(repr, ")") {
		return repr
	}
	v, ok := pythonLiteral(strings.TrimSuffix(repr[open+1:len(repr)-1], ","))
	if s, text := v.(string); ok && text {
		return s
	}
	return repr
}
