package model

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"
)

type termKind int

const (
	termText termKind = iota // a text or regular expression, anywhere
	termChannel
	termSource
	termProcess
)

// term is one word of a query.
type term struct {
	kind termKind
	not  bool
	text string         // in lower case if it is searched as ASCII
	re   *regexp.Regexp // instead of text, if not nil
}

// visible reports whether the term asks for something that can be marked.
func (t *term) visible() bool { return t.kind == termText && !t.not }

func parseQuery(query string) ([]term, error) {
	var terms []term
	query = strings.ToValidUTF8(query, "\ufffd") // which regular expressions insist on
	for {
		query = strings.TrimLeftFunc(query, unicode.IsSpace)
		if query == "" {
			return terms, nil
		}
		var t term
		if len(query) > 1 && query[0] == '-' {
			t.not, query = true, query[1:]
		}
		prefix := queryPrefix(query)
		var word string
		word, query = queryWord(query[len(prefix):], strings.EqualFold(prefix, "re:"))
		if word == "" {
			continue // somebody is still typing
		}
		if err := t.compile(prefix, word); err != nil {
			return nil, err
		}
		terms = append(terms, t)
	}
}

func queryPrefix(query string) string {
	for _, p := range []string{"re:", "channel:", "source:", "process:"} {
		if len(query) >= len(p) && strings.EqualFold(query[:len(p)], p) {
			return query[:len(p)]
		}
	}
	return ""
}

// queryWord splits off one word, which may be quoted; without quotation marks
// it ends at a blank or, if it is greedy, nowhere. A quotation mark that is not
// closed extends to the end.
func queryWord(query string, greedy bool) (word, rest string) {
	if strings.HasPrefix(query, `"`) {
		word, rest, _ = strings.Cut(query[1:], `"`)
		return word, rest
	}
	if i := strings.IndexFunc(query, unicode.IsSpace); i >= 0 && !greedy {
		return query[:i], query[i:]
	}
	return strings.TrimRightFunc(query, unicode.IsSpace), ""
}

func (t *term) compile(prefix, word string) error {
	t.text = word
	switch strings.ToLower(prefix) {
	case "channel:":
		t.kind = termChannel
	case "source:":
		t.kind = termSource
	case "process:":
		t.kind = termProcess
	case "re:":
		re, err := regexp.Compile("(?i)" + word)
		if err != nil {
			if mistake, ok := errors.AsType[*syntax.Error](err); ok { // its text alone: the rest shows what was not typed
				return fmt.Errorf("regular expression %q: %s", word, mistake.Code)
			}
			return fmt.Errorf("regular expression %q: %w", word, err)
		}
		t.re = re
	default:
		if isASCII(word) {
			t.text = strings.ToLower(word)
		} else {
			t.re = regexp.MustCompile("(?i)" + regexp.QuoteMeta(word))
		}
	}
	return nil
}

// QuoteTerm returns a text as one word of a [Filter.Text], behind a prefix such
// as "channel:".
func QuoteTerm(prefix, text string) string {
	text = strings.ReplaceAll(text, `"`, "")
	if strings.IndexFunc(text, unicode.IsSpace) >= 0 || prefix == "" && (queryPrefix(text) != "" || strings.HasPrefix(text, "-")) {
		return prefix + `"` + text + `"`
	}
	return prefix + text
}

func (t *term) in(s string) bool {
	if t.re != nil {
		return t.re.MatchString(s)
	}
	return indexFold(s, t.text) >= 0
}

func (t *term) spans(dst []Span, s string) []Span {
	for from := 0; from <= len(s) && len(dst) < maxSpans; {
		var start, end int
		if t.re != nil {
			at := t.re.FindStringIndex(s[from:])
			if at == nil {
				break
			}
			start, end = from+at[0], from+at[1]
		} else {
			i := indexFold(s[from:], t.text)
			if i < 0 {
				break
			}
			start, end = from+i, from+i+len(t.text)
		}
		if end > start {
			dst = append(dst, Span{start, end})
		}
		from = max(end, start+1)
	}
	return dst
}

// indexFold is strings.Index without regard to the case of ASCII letters;
// lower is in lower case. Nothing is allocated.
func indexFold(s, lower string) int {
	n := len(lower)
	if n == 0 {
		return 0
	}
	c := lower[0]
	for i := 0; i+n <= len(s); i++ {
		if foldASCII(s[i]) == c && equalFoldASCII(s[i+1:i+n], lower[1:]) {
			return i
		}
	}
	return -1
}

func equalFoldASCII(s, lower string) bool {
	for i := range len(lower) {
		if foldASCII(s[i]) != lower[i] {
			return false
		}
	}
	return true
}

func foldASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
