package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
)

// processorKinds change records before any handler, the log window included, sees them.
func processorKinds() []pipeline.ProcessorKind {
	return []pipeline.ProcessorKind{
		processorKind("set", "sets extra data", plain[setOptions], newSet),
		processorKind("remove", "removes extra data", plain[removeOptions], newRemove),
		processorKind("redact", "hides what nobody should read", plain[redactOptions], newRedact),
	}
}

type setOptions struct {
	Extra map[string]any `yaml:"extra,required"`
}

func newSet(_ *pipeline.Env, o *setOptions) (core.Processor, error) {
	keys := slices.Sorted(maps.Keys(o.Extra))
	return func(r *core.Record) {
		for _, key := range keys {
			r.Extra.Set(key, o.Extra[key])
		}
	}, nil
}

type removeOptions struct {
	Extra []string `yaml:"extra,required"`
}

func newRemove(_ *pipeline.Env, o *removeOptions) (core.Processor, error) {
	return func(r *core.Record) {
		for _, key := range o.Extra {
			r.Extra.Delete(key)
		}
	}, nil
}

// redactedText stands for what was hidden.
const redactedText = "[redacted]"

type redactOptions struct {
	Fields      []string `yaml:"fields,required"`
	Pattern     string   `yaml:"pattern"`
	Replacement string   `yaml:"replacement"`
}

func newRedact(_ *pipeline.Env, o *redactOptions) (core.Processor, error) {
	replacement := orElse(o.Replacement, redactedText)
	hide := func(string) string { return replacement }
	if o.Pattern != "" {
		pattern, err := regexp.Compile(o.Pattern)
		if err != nil {
			return nil, config.At("pattern", "%w", err)
		}
		hide = func(s string) string { return pattern.ReplaceAllString(s, replacement) }
	}
	var all []func(*core.Record)
	for _, field := range o.Fields {
		redact, err := redactField(field, hide)
		if err != nil {
			return nil, err
		}
		all = append(all, redact)
	}
	return func(r *core.Record) {
		for _, redact := range all {
			redact(r)
		}
	}, nil
}

// redactField returns what hides parts of one field of a record.
func redactField(field string, hide func(string) string) (func(*core.Record), error) {
	path := strings.Split(field, ".")
	switch {
	case field == "message":
		return func(r *core.Record) { redactMessage(r, hide) }, nil
	case field == "exception":
		return func(r *core.Record) { redactException(r, hide) }, nil
	case slices.Contains(path, ""):
	case path[0] == "extra":
		return func(r *core.Record) { redactExtra(r, path[1:], hide) }, nil
	}
	return nil, config.At("fields", "unknown field %q (message, exception, extra, or extra.KEY)", field)
}

// redactMessage also forgets what the message was made of: it might be put
// together again.
func redactMessage(r *core.Record, hide func(string) string) {
	old := r.Message()
	text := hide(old)
	if text == old {
		return
	}
	r.Msg, r.Args, r.Kwargs = text, nil, nil
	r.SetMessage(text)
}

func redactException(r *core.Record, hide func(string) string) {
	if r.Exception == nil {
		return
	}
	e := *r.Exception // the exception may be somebody else's, too
	e.Message, e.Traceback, e.Err = hideAny(e.Message, hide), hideAny(e.Traceback, hide), nil
	r.Exception = &e
}

// hideAny leaves an empty text empty.
func hideAny(s string, hide func(string) string) string {
	if s == "" {
		return s
	}
	return hide(s)
}

func redactExtra(r *core.Record, path []string, hide func(string) string) {
	if len(path) == 0 {
		for key, value := range r.Extra.Clone().All() {
			r.Extra.Set(key, redactValue(value, nil, hide))
		}
		return
	}
	for i := len(path); i > 0; i-- { // a key may have dots itself
		key := strings.Join(path[:i], ".")
		if value, ok := r.Extra.Lookup(key); ok {
			r.Extra.Set(key, redactValue(value, path[i:], hide))
		}
	}
}

// redactValue returns value with all texts in it changed, or those under path. It
// copies what it changes: a record logged in this process shares its values.
func redactValue(value any, path []string, hide func(string) string) any {
	switch v := value.(type) {
	case nil:
		return nil
	case map[string]any:
		out := maps.Clone(v)
		if len(path) > 0 {
			if inner, ok := v[path[0]]; ok {
				out[path[0]] = redactValue(inner, path[1:], hide)
			}
			return out
		}
		for key, inner := range v {
			out[key] = redactValue(inner, nil, hide)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = redactValue(inner, path, hide)
		}
		return out
	}
	if len(path) > 0 {
		return value
	}
	old := fmt.Sprint(value)
	if text := hide(old); text != old {
		return text
	}
	return value
}
