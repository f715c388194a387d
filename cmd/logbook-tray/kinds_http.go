package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/handler"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

type httpOptions struct {
	formatting
	sending
	clientTLS

	URL         string        `yaml:"url,required"`
	Method      string        `yaml:"method"`
	Fields      string        `yaml:"fields"`
	Username    string        `yaml:"username"`
	Password    config.Secret `yaml:"password"`
	Token       config.Secret `yaml:"token"`
	ContentType string        `yaml:"content_type"`
	Batch       int           `yaml:"batch"`
}

// The values of the option fields.
const (
	fieldsLogging = "logging"
	fieldsLogbook = "logbook"
)

func newHTTP(env *pipeline.Env, o *httpOptions) (core.Handler, error) {
	settings, err := o.options()
	if err != nil {
		return nil, err
	}
	settings.Batch = o.Batch
	f, err := o.formatter(format.DefaultTemplate)
	secure, terr := o.configFor(strings.ToLower(o.URL), "https")
	if err := errors.Join(err, terr, o.check(f)); err != nil {
		return nil, err
	}
	if f != nil && o.ContentType == "" && o.Format != formatJSON {
		o.ContentType = "text/plain; charset=utf-8"
	}
	httpOptions := handler.HTTPOptions{
		URL: o.URL, Method: o.Method, Username: o.Username, Password: o.Password.Reveal(), Token: o.Token.Reveal(),
		Formatter: f, Lines: o.Batch > 1, MapLogRecord: loggingForm, ContentType: o.ContentType, TLS: secure, Timeout: o.Timeout,
	}
	if o.Fields == fieldsLogbook {
		httpOptions.MapLogRecord = handler.MapLogRecord
	}
	h, err := handler.NewHTTP(httpOptions)
	if err != nil {
		return nil, blame(err, "URL", "url", "method", "method")
	}
	return newAsync(env, h, settings, nil), nil
}

// check finds options that do not go together.
func (o *httpOptions) check(f format.Formatter) error {
	err := errors.Join(oneOf("fields", o.Fields, fieldsLogging, fieldsLogbook), notNegative("batch", o.Batch))
	switch {
	case !o.Token.IsZero() && (o.Username != "" || !o.Password.IsZero()):
		err = errors.Join(err, config.At("token", "goes instead of username and password"))
	case o.Batch > 1 && o.Format != formatJSON:
		err = errors.Join(err, config.At("batch", "needs format: json"))
	case o.Fields != "" && f != nil:
		err = errors.Join(err, config.At("fields", "has no effect with a format"))
	}
	return err
}

// loggingForm returns a record as the form that Python's HTTPHandler sends: the attributes of
// a record of logging, each as Python prints it.
func loggingForm(r *core.Record) url.Values {
	form := url.Values{}
	for _, f := range wire.LoggingFields(r) {
		form.Set(f.Key, pythonText(f.Value))
	}
	return form
}

// pythonText returns what str() of Python makes of plain values, and JSON of others.
func pythonText(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case string:
		return v
	case bool:
		if v {
			return "True"
		}
		return "False"
	case float64:
		text := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	case int, int64, uint64, json.Number:
		return fmt.Sprint(v)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
