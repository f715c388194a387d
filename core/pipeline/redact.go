package pipeline

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
)

// RedactOptions are the options of [Redact].
type RedactOptions struct {
	// Fields are what is redacted: "message" (with the template and its arguments),
	// "exception" (message and traceback), "extra" (all of it), or "extra.name" and
	// "extra.name.part".
	Fields []string `yaml:"fields,required"`
	// Pattern is what is replaced in texts; without one a field is replaced as a
	// whole.
	Pattern *regexp.Regexp `yaml:"pattern"`
	// Replacement may refer to groups of the pattern: "$1".
	Replacement string `yaml:"replacement"`
}

// Validate implements the check of [config.Decode].
func (o *RedactOptions) Validate() error {
	var errs []error
	for _, f := range o.Fields {
		root, path, dotted := strings.Cut(f, ".")
		switch {
		case root == "extra" && (!dotted || path != ""), f == "message", f == "exception":
		default:
			errs = append(errs, config.At("fields", "%q is not one of message, exception, extra, extra.<name>", f))
		}
	}
	return errors.Join(errs...)
}

// Redact is the kind of processor that takes secrets out of records before any
// handler sees them:
//
//	{type: redact, fields: [extra.password, message], pattern: '(?i)bearer \S+'}
func Redact() ProcessorKind {
	return ProcessorKind{
		Name: "redact", Doc: "replaces secrets in messages, exceptions and extra data",
		Options: func() any { return &RedactOptions{Replacement: "<redacted>"} },
		New: func(_ *Env, options any) (core.Processor, error) {
			o, ok := options.(*RedactOptions)
			if !ok {
				return nil, fmt.Errorf("options of redact are a %T", options)
			}
			return o.process, nil
		},
	}
}

func (o *RedactOptions) process(r *core.Record) {
	for _, f := range o.Fields {
		switch root, path, dotted := strings.Cut(f, "."); {
		case f == "message":
			o.message(r)
		case f == "exception":
			o.exception(r)
		case root == "extra" && !dotted:
			r.Extra = o.fields(r.Extra)
		case root == "extra":
			o.extra(r, strings.Split(path, "."))
		}
	}
}

// message redacts the text and what it is made of: both are handed on.
func (o *RedactOptions) message(r *core.Record) {
	text := o.text(r.Message())
	r.Msg = o.text(r.Msg)
	args := make([]any, len(r.Args))
	for i, a := range r.Args {
		args[i] = o.value(a)
	}
	if len(args) > 0 {
		r.Args = args
	}
	r.Kwargs = o.fields(r.Kwargs)
	r.SetMessage(text)
}

func (o *RedactOptions) exception(r *core.Record) {
	if r.Exception == nil {
		return
	}
	e := *r.Exception
	e.Message, e.Traceback, e.Err = o.text(e.Message), o.text(e.Traceback), nil
	r.Exception = &e
}

// fields redacts every value in a copy of f: the list may be shared.
func (o *RedactOptions) fields(f core.Fields) core.Fields {
	out := f.Clone()
	for i := range out {
		out[i].Value = o.value(out[i].Value)
	}
	return out
}

func (o *RedactOptions) extra(r *core.Record, path []string) {
	v, ok := r.Extra.Lookup(path[0])
	if !ok {
		return
	}
	r.Extra = r.Extra.Clone()
	r.Extra.Set(path[0], o.at(v, path[1:]))
}

// at redacts what stands under path in v, in copies of the maps on the way.
func (o *RedactOptions) at(v any, path []string) any {
	if len(path) == 0 {
		return o.value(v)
	}
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	inner, ok := m[path[0]]
	if !ok {
		return v
	}
	out := maps.Clone(m)
	out[path[0]] = o.at(inner, path[1:])
	return out
}

func (o *RedactOptions) text(s string) string {
	switch {
	case o.Pattern != nil:
		return o.Pattern.ReplaceAllString(s, o.Replacement)
	case s == "":
		return ""
	}
	return o.Replacement
}

// value redacts a value and all in it. What is neither a text nor made of such is
// redacted as the text it prints as.
func (o *RedactOptions) value(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return o.text(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = o.value(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = o.value(e)
		}
		return out
	}
	if o.Pattern == nil {
		return o.Replacement
	}
	if text := fmt.Sprint(v); o.Pattern.MatchString(text) {
		return o.text(text)
	}
	return v
}
