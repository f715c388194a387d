package config

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
)

// The colours of [Diagnostics.Fprint].
const (
	colourOff     = "\x1b[0m"
	colourBold    = "\x1b[1m"
	colourError   = "\x1b[1;31m"
	colourWarning = "\x1b[1;33m"
	colourHint    = "\x1b[1;36m"
)

// Fprint shows all diagnostics, sorted, each with its line of the source and a
// caret under the place:
//
//	logbook.yaml:4:5: error: unknown key "lvel" in handler "file"
//	    4 |     lvel: info
//	      |     ^^^^
//	  hint: did you mean "level"?
//
// src is the source of the file; nil leaves the excerpts out. What looks like
// a secret is masked in the excerpts, and no control character gets through.
// coloured adds the escape sequences of terminals.
func (ds Diagnostics) Fprint(w io.Writer, src []byte, coloured bool) error {
	lines := bytes.Split(bytes.TrimPrefix(src, []byte("\ufeff")), []byte("\n"))
	var out bytes.Buffer
	for _, d := range ds.Sorted() {
		p := printer{out: &out, coloured: coloured}
		p.head(d)
		if src != nil && d.Line > 0 && d.Line <= len(lines) {
			p.excerpt(d, string(lines[d.Line-1]))
		}
		if d.Hint != "" {
			fmt.Fprintf(&out, "  %s %s\n", p.paint(colourHint, "hint:"), printable(d.Hint))
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

// Fprint is [Diagnostics.Fprint] with the source of the tree.
func (t *Tree) Fprint(w io.Writer, ds Diagnostics, coloured bool) error {
	return ds.Fprint(w, t.source, coloured)
}

type printer struct {
	out      *bytes.Buffer
	coloured bool
}

func (p printer) paint(colour, s string) string {
	if !p.coloured {
		return s
	}
	return colour + s + colourOff
}

func (p printer) severity(s Severity) string {
	if s == Warning {
		return colourWarning
	}
	return colourError
}

func (p printer) head(d Diagnostic) {
	place := strings.TrimSuffix(d.place(), " ")
	if place != "" {
		p.out.WriteString(p.paint(colourBold, printable(place)) + " ")
	}
	fmt.Fprintf(p.out, "%s %s\n", p.paint(p.severity(d.Severity), d.Severity.String()+":"), printable(d.Message))
}

// maxExcerpt is how many characters of a line are shown.
const maxExcerpt = 160

func (p printer) excerpt(d Diagnostic, line string) {
	text := []rune(printable(maskSecrets(strings.TrimSuffix(line, "\r"))))
	from, to := d.Column-1, max(d.EndColumn-1, d.Column)
	if cut := from - maxExcerpt/2; len(text) > maxExcerpt && cut > 0 {
		text, from, to = text[min(cut, len(text)):], from-cut, to-cut
	}
	text = text[:min(len(text), maxExcerpt)]
	to = max(from+1, min(to, len(text)))
	fmt.Fprintf(p.out, "%5d | %s\n", d.Line, strings.TrimRightFunc(string(text), unicode.IsSpace))
	fmt.Fprintf(p.out, "      | %s%s\n", strings.Repeat(" ", cells(text, 0, from)),
		p.paint(p.severity(d.Severity), strings.Repeat("^", max(1, cells(text, from, to)))))
}

// cells is how many columns of a terminal text[from:to] takes, one for each
// place beyond its end.
func cells(text []rune, from, to int) int {
	n := 0
	for i := from; i < to; i++ {
		switch {
		case i >= len(text):
			n++
		case unicode.In(text[i], unicode.Mn, unicode.Me): // combines with the one before
		case wide(text[i]):
			n += 2
		default:
			n++
		}
	}
	return n
}

// wide reports whether c takes two columns: Unicode's East Asian Width, as
// far as it matters for pointing at a place.
func wide(c rune) bool {
	switch {
	case c < 0x1100:
		return false
	case c <= 0x115f, 0x2e80 <= c && c <= 0xa4cf && c != 0x303f, 0xac00 <= c && c <= 0xd7a3,
		0xf900 <= c && c <= 0xfaff, 0xfe30 <= c && c <= 0xfe6f, 0xff00 <= c && c <= 0xff60, 0xffe0 <= c && c <= 0xffe6,
		0x1f300 <= c && c <= 0x1f64f, 0x1f680 <= c && c <= 0x1f9ff, 0x20000 <= c && c <= 0x3fffd:
		return true
	}
	return false
}

// printable replaces every character that does something instead of being seen,
// one by one, so that carets keep their place.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\t':
			return ' '
		case c < ' ' || c == 0x7f || !unicode.IsGraphic(c):
			return '\ufffd'
		}
		return c
	}, s)
}

// secretPatterns find the values of options that are secrets by their names, and
// the passwords in addresses. The names end in what such options are called
// everywhere; a few too many are masked rather than one too few.
func secretPatterns() []*regexp.Regexp {
	return []*regexp.Regexp{
		regexp.MustCompile(`(?i)["']?[a-z_-]*(?:token|password|passwd|secret|(?:api|user|private|secret|access|auth)_?key|credentials)["']?\s*:\s+(\[[^\]]*\]?|"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s{\[#,}\]][^,}\]#]*)`),
		regexp.MustCompile(`[a-z][a-z0-9+.-]*://[^/\s:@"']*:([^/\s@"']+)@`),
	}
}

func maskSecrets(line string) string {
	for _, pattern := range secretPatterns() {
		out := []byte(nil)
		last := 0
		for _, m := range pattern.FindAllStringSubmatchIndex(line, -1) {
			out = append(out, line[last:m[2]]...)
			value := line[m[2]:m[3]]
			kept := strings.TrimRight(value, " ")
			out = append(out, strings.Repeat("*", len([]rune(kept)))+value[len(kept):]...)
			last = m[3]
		}
		line = string(append(out, line[last:]...))
	}
	return line
}
