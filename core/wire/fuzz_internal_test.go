package wire

import "testing"

// FuzzPercent looks for a template and arguments, as HTTPHandler sends them, that make more
// text than there is room for, or that do not come to an end.
func FuzzPercent(f *testing.F) {
	for template, args := range map[string]string{
		"%s took %.1f ms (%d%%) %r": "('x', 1.25, 7, [1, 'a'])", "%(user)s has %(n)05d": "{'user': 'J\\xfcrgen', 'n': 3}",
		"%-10s|%+d|%x|%#o|%e|%c": "('a', 1, 255, 8, 1.5, 'z')", "%*.*f %s": "(10, 2, 3.14159, None)", "%999999s": "('x',)", "%": "(1,)",
	} {
		f.Add(template, args)
	}
	f.Fuzz(func(t *testing.T, template, args string) {
		v, ok := pythonLiteral(args)
		list, isList := v.([]any)
		if !ok || !isList {
			list = []any{v}
		}
		text, ok := formatPercent(template, list)
		if !ok && text != template {
			t.Fatalf("%q becomes %q", template, text)
		}
		if len(text) > 2*maxFormatted+len(template)+len(args) {
			t.Fatalf("%d bytes", len(text))
		}
	})
}
