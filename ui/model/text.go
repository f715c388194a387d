package model

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// Placeholder stands where a character is that would control a terminal or
// the direction of text instead of being seen.
const Placeholder = '\uFFFD'

// Printable returns s as the windows show it. Where [display.Clean] leaves out
// what is harmful, here a [Placeholder] tells that there was something, also for
// characters that cannot be seen; but escape sequences of terminals, such as
// colours, go without a trace. Line breaks and tabs stay.
func Printable(s string) string {
	if isPrintable(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for len(s) > 0 {
		if n := escapeSequence(s); n > 0 {
			s = s[n:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == '\r' && strings.HasPrefix(s[n:], "\n"):
		case Hidden(r):
			b.WriteRune(Placeholder)
		default:
			b.WriteRune(r)
		}
		s = s[n:]
	}
	return b.String()
}

func isPrintable(s string) bool {
	for _, r := range s {
		if r != '\n' && r != '\t' && (r < ' ' || r >= 0x7f) && (Hidden(r) || r == utf8.RuneError) {
			return false
		}
	}
	return true
}

// Hidden reports whether r is a control character, or one that changes the
// direction of text or cannot be seen at all. Line feed and tab are not, and nor
// are the joiners and selectors that make up emoji.
func Hidden(r rune) bool {
	if r < 0x600 {
		return r == 0xad || display.Harmful(r) // soft hyphen
	}
	switch r {
	case 0x200b, 0x2028, 0x2029, 0xfeff:
		return true
	}
	return display.Harmful(r) || r >= 0x2060 && r <= 0x206f ||
		r >= 0xfff9 && r <= 0xfffb || r >= 0xe0000 && r <= 0xe007f ||
		unicode.Is(unicode.Co, r) || unicode.Is(unicode.Cs, r)
}

// maxEscape bounds how far the end of an escape sequence is looked for.
const maxEscape = 256

// escapeSequence returns the length of the terminal's escape sequence that s
// begins with, 0 if there is none.
func escapeSequence(s string) int {
	if len(s) < 2 || s[0] != 0x1b {
		return 0
	}
	end := min(len(s), maxEscape)
	switch s[1] {
	case '[': // control sequence: parameters, then one final byte
		for i := 2; i < end; i++ {
			if c := s[i]; c >= 0x40 && c <= 0x7e {
				return i + 1
			} else if c < 0x20 || c > 0x3f {
				return 0
			}
		}
	case ']', 'P', '_', '^', 'X': // a string, up to BEL or ESC \
		for i := 2; i < end; i++ {
			if s[i] == 0x07 {
				return i + 1
			}
			if s[i] == 0x1b && i+1 < end && s[i+1] == '\\' {
				return i + 2
			}
		}
	}
	return 0
}

// Summary is a message for one line.
type Summary struct {
	Line  string // the first line that is not blank, as it came: not yet printable
	More  int    // how many lines follow
	Trace bool   // there is a traceback
}

// Summarize returns the message of r for one line; where it is empty, that of its
// exception.
func Summarize(r *core.Record) Summary {
	text := strings.TrimRight(r.Message(), " \t\r\n")
	if text == "" && r.Exception != nil {
		text = r.Exception.ShortName()
		if r.Exception.Message != "" {
			text += ": " + strings.TrimRight(r.Exception.Message, " \t\r\n")
		}
	}
	text = strings.TrimLeft(text, "\r\n")
	s := Summary{Line: text, Trace: r.Exception != nil && r.Exception.Traceback != ""}
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		s.Line = strings.TrimSuffix(text[:i], "\r")
		s.More = strings.Count(text[i:], "\n")
	}
	return s
}

// TimeLayout is the layout of times in full.
const TimeLayout = "2006-01-02 15:04:05.000000"

// Text returns r as Logbook's default format has it, in local time, with the
// exception on the lines behind it. It is [Printable]: it may be pasted into a
// terminal.
func Text(r *core.Record) string {
	formatter, err := format.NewString(format.DefaultTemplate, format.Options{Location: time.Local})
	if err == nil {
		var text []byte
		if text, err = formatter.Append(nil, r); err == nil {
			if e := r.Exception; e != nil && e.Traceback == "" { // the formatter shows tracebacks only
				text = append(text, "\n"+e.Name+": "+e.Message...)
			}
			return Printable(string(text))
		}
	}
	return Printable(r.Message()) + "\n" + err.Error()
}

// JSON returns r as one line of Logbook's JSON.
func JSON(r *core.Record) string {
	line, err := wire.Append(nil, r)
	if err != nil {
		return fmt.Sprintf(`{"message": %q, "error": %q}`, r.Message(), err)
	}
	return string(line)
}

// Markdown returns r for an issue or a chat: a heading, a table of what is known,
// the traceback as code.
func Markdown(r *core.Record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s: %s\n\n", r.Level.Title(), inlineMarkdown(Summarize(r).Line))
	if strings.Contains(r.Message(), "\n") {
		fence(&b, r.Message())
	}
	b.WriteString("| field | value |\n| --- | --- |\n")
	for _, f := range Describe(r, time.Time{}) {
		fmt.Fprintf(&b, "| %s | %s |\n", cellMarkdown(f.Name), cellMarkdown(f.Value))
	}
	for _, f := range FlattenFields(r.Extra) {
		fmt.Fprintf(&b, "| extra.%s | %s |\n", cellMarkdown(f.Name), cellMarkdown(f.Value))
	}
	if e := r.Exception; e != nil {
		b.WriteString("\n")
		text := e.Traceback
		if text == "" {
			text = e.Name + ": " + e.Message
		}
		fence(&b, text)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func inlineMarkdown(s string) string {
	return strings.NewReplacer("\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "<", "\\<", "\n", " ").Replace(Printable(s))
}

func cellMarkdown(s string) string {
	return strings.ReplaceAll(inlineMarkdown(s), "|", "\\|")
}

// fence writes text as a block of code, with a fence that text does not have.
func fence(b *strings.Builder, text string) {
	ticks := "```"
	for strings.Contains(text, ticks) {
		ticks += "`"
	}
	fmt.Fprintf(b, "%s\n%s\n%s\n\n", ticks, strings.TrimRight(Printable(text), "\n"), ticks)
}

// NamedValue is one line of a description.
type NamedValue struct {
	Name, Value string
	Depth       int // how deep it is nested; 0 at the top
}

// maxValues and maxDepth bound how much of nested values is laid out.
const (
	maxValues = 500
	maxDepth  = 8
)

// FlattenFields lays out fields, and what is nested in them, line by line.
// What is beyond a few hundred lines is left out, and said to be.
func FlattenFields(fields core.Fields) []NamedValue {
	var out []NamedValue
	for i := range fields {
		out = flatten(out, fields[i].Key, fields[i].Value, 0)
	}
	return cutValues(out)
}

// FlattenArgs is [FlattenFields] for positional arguments.
func FlattenArgs(args []any) []NamedValue {
	var out []NamedValue
	for i, v := range args {
		out = flatten(out, strconv.Itoa(i), v, 0)
	}
	return cutValues(out)
}

func cutValues(out []NamedValue) []NamedValue {
	if len(out) > maxValues {
		return append(out[:maxValues], NamedValue{Name: "…", Value: "more values are not shown"})
	}
	return out
}

func flatten(out []NamedValue, name string, v any, depth int) []NamedValue {
	if len(out) > maxValues {
		return out
	}
	line := NamedValue{Name: Printable(name), Depth: depth}
	switch v := v.(type) {
	case map[string]any:
		if len(v) > 0 && depth < maxDepth {
			out = append(out, line)
			for _, k := range sortedKeys(v) {
				out = flatten(out, k, v[k], depth+1)
			}
			return out
		}
	case []any:
		if len(v) > 0 && depth < maxDepth {
			out = append(out, line)
			for i, e := range v {
				out = flatten(out, "["+strconv.Itoa(i)+"]", e, depth+1)
			}
			return out
		}
	}
	line.Value = Printable(ValueText(v))
	return append(out, line)
}

// ValueText returns a value as people read it.
func ValueText(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case string:
		return v
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case map[string]any, []any:
		if text, err := json.Marshal(v); err == nil {
			return string(text)
		}
	}
	return fmt.Sprint(v)
}
