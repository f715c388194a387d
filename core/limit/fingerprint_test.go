package limit_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/limit"
	"github.com/logbook-tray/logbook-tray/core/logtest"
)

func record(message string) *core.Record {
	r := &core.Record{
		Channel: "shop", Level: core.LevelError,
		Site: core.Site{File: "/srv/shop/cart.py", Line: 12, Function: "add"},
	}
	r.SetMessage(message)
	return r
}

// The expected value was computed with hash_record of Logbook.
func TestLocationIsTheHashOfLogbook(t *testing.T) {
	if got, want := limit.Location(record("x")), "7faae00948fd19fd4203b04abe99e38e494419a0"; got != want {
		t.Errorf("Location = %s, want %s", got, want)
	}
}

func TestLocationOfARecordWithoutAPlaceIsKnown(t *testing.T) {
	a, b := &core.Record{Channel: "shop"}, &core.Record{Channel: "pay"}
	if limit.Location(a) == limit.Location(b) || limit.Location(a) != limit.Location(&core.Record{Channel: "shop"}) {
		t.Error("records without a file are not told apart by channel alone")
	}
}

func TestMask(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"order 4711 declined", "order <n> declined"},
		{"order4711 declined", "order<n> declined"},
		{"items [1, 2, 3]", "items [<n>]"},
		{"items [17]", "items [<n>]"},
		{"from 10.0.0.17:8080", "from <n>"},
		{"from fe80::1c2b:3d4e", "from <address>"},
		{"at 12:30:45", "at <n>"},
		{"user 123e4567-e89b-12d3-a456-426614174000 gone", "user <id> gone"},
		{"commit 9fceb02d0ae598e9", "commit <id>"},
		{"pointer 0xc000012345", "pointer <n>"},
		{"token a1b2c3d4e5zz", "token <id>"},
		{"mail to joe.doe+x@mail.example.com.", "mail to <address>."},
		{`no key "colour" in 'car'`, "no key <text> in <text>"},
		{"can't open it's file", "can't open it's file"},
		{"unclosed 'quote", "unclosed 'quote"},
		{"ünïcode größe 7", "ünïcode größe <n>"},
		{"", ""},
	} {
		if got := limit.Mask(test.in); got != test.want {
			t.Errorf("Mask(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}

func TestMessageIgnoresWhatDiffers(t *testing.T) {
	a, b := limit.Message(record("payment of 12.50 for 'joe' declined")), limit.Message(record("payment of 9.99 for 'ann' declined"))
	if a != b {
		t.Error("the same message with other values is another error")
	}
	if a == limit.Message(record("payment of 9.99 for 'ann' lost")) {
		t.Error("another message is the same error")
	}
}

func FuzzMask(f *testing.F) {
	for _, s := range []string{"order 4711", `"a\"b'`, "::1 a@b.c", "\xff'\x00'", strings.Repeat("9", 3000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := limit.Mask(s)
		if strings.ContainsAny(out, "0123456789") {
			t.Errorf("Mask(%q) = %q has digits", s, out)
		}
		if len(out) > 3*2048+16 {
			t.Errorf("Mask made %d bytes of %d", len(out), len(s))
		}
	})
}

const pythonTraceback = `Traceback (most recent call last):
  File "/srv/shop/db.py", line 3, in connect
    raise KeyError('x')
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/shop/app.py", line 40, in main
    pay(order)
  File "/srv/shop/pay.py", line 12, in pay
    client.post(url)
  File "/srv/venv/lib/python3.11/site-packages/requests/api.py", line 115, in post
    return request("post", url)
  File "/usr/lib/python3.11/socket.py", line 962, in connect
    raise err
ConnectionError: refused`

const goPanic = `*errors.errorString: refused

goroutine 1 [running]:
runtime/debug.Stack()
	/usr/local/go/src/runtime/debug/stack.go:26 +0x5e
github.com/logbook-tray/logbook-tray/core.(*Logger).Exception(0xc0000, {0x1})
	/home/joe/logbook-tray/core/logger.go:300 +0x1d
main.main.func1()
	/srv/shop/main.go:9 +0x1d
panic({0x1?, 0x2?})
	/usr/local/go/src/runtime/panic.go:787 +0x132
example.org/db.(*Conn).Query(0xc000)
	/home/joe/go/pkg/mod/example.org/db@v1.0.0/conn.go:77 +0x1d
main.pay({0xc000, 0x10})
	/srv/shop/pay.go:%LINE% +0x1d
main.main()
	/srv/shop/main.go:12 +0x1d

goroutine 7 [running]:
main.other()
	/srv/shop/other.go:1 +0x1`

func failed(name, traceback string) *core.Record {
	r := record("failed")
	r.Exception = &core.Exception{Name: name, Traceback: traceback}
	return r
}

func TestExceptionGoesByTheInnermostFrameOfTheProgram(t *testing.T) {
	base := limit.Exception(failed("ConnectionError", pythonTraceback))
	moved := strings.Replace(pythonTraceback, "line 12, in pay", "line 99, in pay", 1)
	library := strings.Replace(pythonTraceback, "line 115, in post", "line 7, in post", 1)
	caller := strings.Replace(pythonTraceback, "pay(order)", "pay(order, 2)", 1)
	for name, text := range map[string]string{"an edit further up": moved, "another version of a library": library, "another caller": caller} {
		if limit.Exception(failed("ConnectionError", text)) != base {
			t.Errorf("%s makes another error of it", name)
		}
	}
	other := strings.Replace(pythonTraceback, "client.post(url)", "client.get(url)", 1)
	if limit.Exception(failed("ConnectionError", other)) == base {
		t.Error("another line of the program is the same error")
	}
	if limit.Exception(failed("TimeoutError", pythonTraceback)) == base {
		t.Error("another type is the same error")
	}
}

func TestExceptionReadsGoPanics(t *testing.T) {
	at := func(line string) string {
		return limit.Exception(failed("*errors.errorString", strings.Replace(goPanic, "%LINE%", line, 1)))
	}
	if at("31") == at("32") {
		t.Error("the frame of main.pay does not decide")
	}
	library := strings.Replace(strings.Replace(goPanic, "%LINE%", "31", 1), "conn.go:77", "conn.go:78", 1)
	if limit.Exception(failed("*errors.errorString", library)) != at("31") {
		t.Error("a frame of a module decides")
	}
}

// What core itself writes must be understood.
func TestExceptionTellsGoErrorsOfTwoPlacesApart(t *testing.T) {
	var logs logtest.TestHandler
	log := core.NewLogger("shop")
	ctx, end := core.Bind(context.Background(), core.Binding{Handler: &logs})
	defer func() { _ = end() }()
	for range 2 {
		log.ExceptionContext(ctx, os.ErrNotExist, "first place")
	}
	log.ExceptionContext(ctx, os.ErrNotExist, "second place")
	rs := logs.Records()
	for _, r := range rs {
		r.Site = core.Site{} // only the traceback is left to tell
	}
	a, b, c := limit.Exception(rs[0]), limit.Exception(rs[1]), limit.Exception(rs[2])
	if a != b || a == c {
		t.Errorf("same place equal: %v, other place equal: %v\n%s", a == b, a == c, rs[0].Exception.Traceback)
	}
}

func TestExceptionWithoutATracebackIsThePlace(t *testing.T) {
	a, b := failed("ValueError", ""), failed("ValueError", "")
	b.Site.Line++
	if limit.Exception(a) == limit.Exception(b) {
		t.Error("two places are one error")
	}
	if got, want := limit.Exception(record("x")), limit.Location(record("x")); got != want {
		t.Errorf("without an exception: %s, want the location %s", got, want)
	}
}

func FuzzException(f *testing.F) {
	f.Add(pythonTraceback)
	f.Add(goPanic)
	f.Add("Traceback (most recent call last):\n  File \"\", line , in \n")
	f.Add("goroutine \n\t:\n")
	f.Fuzz(func(t *testing.T, s string) {
		if got := limit.Exception(failed("E", s)); len(got) != 40 {
			t.Errorf("fingerprint %q", got)
		}
	})
}

func TestParseFingerprint(t *testing.T) {
	for _, name := range []string{"", "location", "message", "exception"} {
		if f, err := limit.ParseFingerprint(name); err != nil || f == nil {
			t.Errorf("ParseFingerprint(%q): %v", name, err)
		}
	}
	_, err := limit.ParseFingerprint("place")
	if !errors.Is(err, limit.ErrUnknownFingerprint) || !strings.Contains(err.Error(), "location, message, exception") {
		t.Errorf("ParseFingerprint(place): %v", err)
	}
}
