package frame_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core/wire/frame"
)

const limit = 1 << 20

func read(r io.Reader, s frame.Splitter) (messages []string, err error) {
	f := frame.NewReader(r, s, limit)
	for {
		m, err := f.Next()
		if err != nil {
			if _, again := f.Next(); !errors.Is(again, err) {
				return messages, errors.New("the error is not returned again")
			}
			return messages, err
		}
		messages = append(messages, string(m))
	}
}

func lengths(messages ...string) string {
	var b []byte
	for _, m := range messages {
		b = append(frame.AppendLength(b, len(m)), m...)
	}
	return string(b)
}

func TestAStreamIsCutWhereverItsPacketsEnd(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	for _, c := range []struct {
		name, in string
		split    func(int) frame.Splitter
		want     []string
		err      error
	}{
		{"lengths", lengths("a", "", "", "bc", long, "d"), frame.Length, []string{"a", "bc", long, "d"}, io.EOF},
		{"only empty ones", lengths("", ""), frame.Length, nil, io.EOF},
		{"cut short", lengths("a", "bc")[:9], frame.Length, []string{"a"}, io.ErrUnexpectedEOF},
		{"cut in a length", lengths("a") + "\x00", frame.Length, []string{"a"}, io.ErrUnexpectedEOF},
		{"HTTP", lengths("a") + "GET / HTTP/1.1\r\n\r\n", frame.Length, []string{"a"}, frame.ErrTooLarge},
		{"lines", "a\n\nb\r\n" + long + "\n\r\nc", frame.Lines, []string{"a", "b", long, "c"}, io.EOF},
		{"a long line", "a\n" + strings.Repeat("x", limit+1) + "\nb\n", frame.Lines, []string{"a"}, frame.ErrTooLarge},
		{"an endless line", "a\n" + strings.Repeat("x", 3*limit), frame.Lines, []string{"a"}, frame.ErrTooLarge},
		{"NULs", "a\nb\x00\x00c", frame.NUL, []string{"a\nb", "c"}, io.EOF},
		{"nothing", "", frame.Lines, nil, io.EOF},
		{"detected length", lengths("a"), func(n int) frame.Splitter { return frame.Detect(0, n) }, []string{"a"}, io.EOF},
		{"detected lines", "{}\n", func(n int) frame.Splitter { return frame.Detect('{', n) }, []string{"{}"}, io.EOF},
	} {
		for kind, r := range map[string]io.Reader{
			"at once":     strings.NewReader(c.in),
			"by the byte": iotest.OneByteReader(strings.NewReader(c.in)),
			"by halves":   iotest.HalfReader(strings.NewReader(c.in)),
			"early end":   iotest.DataErrReader(strings.NewReader(c.in)),
		} {
			got, err := read(r, c.split(limit))
			if !errors.Is(err, c.err) {
				t.Errorf("%s, %s: error %v, want %v", c.name, kind, err, c.err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%s, %s (-want +got):\n%.500s", c.name, kind, d)
			}
		}
	}
}

func TestAMessageIsNotTouchedByTheNext(t *testing.T) {
	r := frame.NewReader(strings.NewReader("first\nsecond\n"), frame.Lines(limit), limit)
	first, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	_ = append(first, "overwritten"...)
	second, err := r.Next()
	if err != nil || string(first) != "first" || string(second) != "second" {
		t.Errorf("%q, %q, %v", first, second, err)
	}
}

func TestTheErrorOfAStreamIsReturned(t *testing.T) {
	broken := errors.New("connection reset")
	got, err := read(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), frame.Lines(limit))
	if !errors.Is(err, broken) || len(got) == 0 || got[0] != "a" {
		t.Errorf("%q, %v", got, err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(lengths("a", "", "bc")), true)
	f.Add([]byte("a\nb\r\n\nc"), false)
	f.Fuzz(func(t *testing.T, data []byte, length bool) {
		split := frame.Lines
		if length {
			split = frame.Length
		}
		one, err1 := readAll(frame.NewReader(bytes.NewReader(data), split(1000), 1000))
		two, err2 := readAll(frame.NewReader(iotest.OneByteReader(bytes.NewReader(data)), split(1000), 1000))
		if err1.Error() != err2.Error() || !bytes.Equal(one, two) {
			t.Fatalf("%q, %v at once, %q, %v by the byte", one, err1, two, err2)
		}
	})
}

func readAll(r *frame.Reader) (all []byte, err error) {
	for {
		m, err := r.Next()
		if err != nil {
			return all, err
		}
		all = append(append(all, m...), '|')
	}
}
