// Package strformat renders the new-style format strings of Python: "{0} of
// {name:>8.2f}". It knows nothing of records.
package strformat

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Format renders template with positional and named arguments. named may be
// nil. The error says what is wrong with the template or which argument is
// missing.
func Format(template string, args []any, named func(string) (any, bool)) (string, error) {
	var b strings.Builder
	auto := 0
	for i := 0; i < len(template); i++ {
		c := template[i]
		switch {
		case c == '{' && i+1 < len(template) && template[i+1] == '{', c == '}' && i+1 < len(template) && template[i+1] == '}':
			b.WriteByte(c)
			i++
		case c == '}':
			return "", errors.New("single '}' encountered in format string")
		case c == '{':
			end := strings.IndexByte(template[i:], '}')
			if end < 0 {
				return "", errors.New("single '{' encountered in format string")
			}
			name := template[i+1 : i+end]
			i += end
			var v any
			if name == "" {
				name = strconv.Itoa(auto)
				auto++
			}
			if n, err := strconv.Atoi(name); err == nil {
				if n < 0 || n >= len(args) {
					return "", fmt.Errorf("no positional argument %d", n)
				}
				v = args[n]
			} else {
				ok := false
				if named != nil {
					v, ok = named(name)
				}
				if !ok {
					return "", fmt.Errorf("no argument %q", name)
				}
			}
			fmt.Fprint(&b, v)
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

// Repr renders a value as Python's repr does, for error messages.
func Repr(v any) string { return fmt.Sprintf("%#v", v) }
