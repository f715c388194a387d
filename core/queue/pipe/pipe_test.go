package pipe_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/pipe"
)

func subscribe(tb testing.TB, r queue.Receiver, err error) *queue.Subscriber {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	s := queue.NewSubscriber(r, queue.Options{})
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func next(tb testing.TB, s *queue.Subscriber) *core.Record {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 20*time.Second)
	defer cancel()
	r, err := s.Recv(ctx)
	if err != nil {
		tb.Fatalf("%v; %+v; %+v", err, s.Status(), s.Stats())
	}
	return r
}

const server = `
import logging, sys, time
logging.basicConfig(level=logging.DEBUG)
print('{"level": "notice", "message": "JSON", "time": "2026-11-20T12:00:00Z"}', flush=True)
print("hello", flush=True)
logging.info("log line")
try:
    {}["order"]
except KeyError:
    logging.exception("failed")
time.sleep(0.3)
print("after", flush=True)
sys.exit(7)
`

func TestTheOutputOfAProgramBecomesRecords(t *testing.T) {
	c, err := pipe.NewCommand(t.Context(), []string{"/usr/bin/python3", "-c", server}, pipe.Options{Channel: "server"})
	s := subscribe(t, c, err)
	got := make(map[string]*core.Record) // standard output and error have no order
	for range 5 {
		r := next(t, s)
		first, _, _ := strings.Cut(r.Message(), "\n")
		got[first] = r
	}
	for text, want := range map[string]core.Level{
		"JSON": core.LevelNotice, "hello": core.LevelInfo, "INFO:root:log line": core.LevelInfo, "ERROR:root:failed": core.LevelError, "after": core.LevelInfo,
	} {
		if r := got[text]; r == nil || r.Level != want || r.Channel != "server" {
			t.Errorf("%q: %+v", text, r)
		}
	}
	if r := got["ERROR:root:failed"]; r != nil && r.Exception.ShortName() != "KeyError" {
		t.Errorf("%+v", r.Exception)
	}
	if code := c.Wait(); code != 7 {
		t.Errorf("exit code %d", code)
	}
	if _, err := s.Recv(t.Context()); !errors.Is(err, queue.ErrClosed) {
		t.Error(err)
	}
}

func TestClosingEndsTheProgram(t *testing.T) {
	c, err := pipe.NewCommand(t.Context(), []string{"/bin/sh", "-c", "echo started; exec sleep 1000"}, pipe.Options{})
	s := subscribe(t, c, err)
	if got := next(t, s).Message(); got != "started" {
		t.Fatal(got)
	}
	start := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("took %v", took)
	}
	if code := c.Wait(); code != 128+2 {
		t.Errorf("exit code %d", code)
	}
}

func TestWhatAProgramSaysAtItsEndIsDispatched(t *testing.T) {
	c, err := pipe.NewCommand(t.Context(), []string{"/bin/sh", "-c", "trap 'echo bye; exit 3' INT; echo started; while :; do sleep 0.05; done"}, pipe.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := queue.NewSubscriber(c, queue.Options{})
	got := make(chan string, 10)
	ctl := s.DispatchInBackground(core.Binding{Handler: core.HandlerFunc(func(_ context.Context, r *core.Record) error {
		got <- r.Message()
		return nil
	})})
	if first := <-got; first != "started" {
		t.Error(first)
	}
	if err := errors.Join(s.Close(), ctl.Stop()); err != nil {
		t.Error(err)
	}
	if last := <-got; last != "bye" {
		t.Error(last)
	}
	if code := c.Wait(); code != 3 {
		t.Errorf("exit code %d", code)
	}
}

func TestAProgramThatDoesNotExistIsAnError(t *testing.T) {
	_, err := pipe.NewCommand(t.Context(), []string{"/no/such/program"}, pipe.Options{})
	if err == nil || err.Error() != "run /no/such/program: fork/exec /no/such/program: no such file or directory" {
		t.Error(err)
	}
	if _, err := pipe.NewCommand(t.Context(), nil, pipe.Options{}); err == nil || err.Error() != "no program to run" {
		t.Error(err)
	}
}

func TestAStreamOfFramesIsRead(t *testing.T) {
	body := `{"level": "error", "message": "a", "time": "2026-11-20T12:00:00Z"}`
	stream := string(binary.BigEndian.AppendUint32(nil, uint32(len(body)))) + body
	r, err := pipe.NewReader("stdin", io.NopCloser(strings.NewReader(stream+stream)), pipe.Options{})
	s := subscribe(t, r, err)
	for range 2 {
		if got := next(t, s); got.Message() != "a" || got.Level != core.LevelError || got.Source.Name != "stdin" {
			t.Errorf("%+v", got)
		}
	}
	if _, err := s.Recv(t.Context()); !errors.Is(err, queue.ErrClosed) {
		t.Error(err)
	}
}

func TestALineThatIsTooLongIsCutAndTheProgramGoesOn(t *testing.T) {
	script := `head -c 300000 /dev/zero | tr '\0' x; echo; echo "{\"level\": \"info\", \"message\": \"$(head -c 5000 /dev/zero | tr '\0' y)\"}"; echo after; head -c 3000 /dev/zero | tr '\0' z`
	c, err := pipe.NewCommand(t.Context(), []string{"sh", "-c", script}, pipe.Options{MaxLine: 2000})
	s := subscribe(t, c, err)
	for _, want := range []string{strings.Repeat("x", 2000), "after", strings.Repeat("z", 2000)} {
		if r := next(t, s); r.Message() != want || (r.Extra.Get("truncated") == true) != (want != "after") {
			t.Errorf("%.40q and %d bytes, %v", r.Message(), len(r.Message()), r.Extra)
		}
	}
	if code := c.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if n := s.Stats(); n.Rejected != 1 || n.Reasons["too large"] != 1 {
		t.Errorf("%+v", n)
	}
}

func TestAProgramGoesOnWhenWhatItWritesCannotBeRead(t *testing.T) {
	c, err := pipe.NewCommand(t.Context(), []string{"sh", "-c", `printf '\000\377\377\377'; head -c 1000000 /dev/zero; exit 3`}, pipe.Options{})
	subscribe(t, c, err)
	if code := c.Wait(); code != 3 {
		t.Errorf("exit code %d", code)
	}
}

func TestALastLineDoesNotWaitForTheNext(t *testing.T) {
	in, out := io.Pipe()
	r, err := pipe.NewReader("pipe", in, pipe.Options{})
	s := subscribe(t, r, err)
	if _, err := out.Write([]byte("one\n")); err != nil {
		t.Fatal(err)
	}
	if got := next(t, s).Message(); got != "one" {
		t.Error(got)
	}
}

func TestAFileIsFollowedThroughItsRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	add := func(text string) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.WriteString(text)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	add("old\n")
	r, err := pipe.NewTail(path, false, pipe.Options{})
	s := subscribe(t, r, err)
	var got []string
	add("one\ntw")
	add("o\n")
	got = append(got, next(t, s).Message(), next(t, s).Message())

	add("three\n")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	add("four\n")
	got = append(got, next(t, s).Message(), next(t, s).Message())

	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	add("5\n")
	got = append(got, next(t, s).Message())

	if err := os.WriteFile(path, []byte("longer than it was\n"), 0o600); err != nil { // cut off and grown at once
		t.Fatal(err)
	}
	got = append(got, next(t, s).Message())
	add("\ufeff" + `{"level": "error", "message": "JSON"}` + "\n")
	got = append(got, next(t, s).Message())
	if diff := cmp.Diff([]string{"one", "two", "three", "four", "5", "longer than it was", "JSON"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAFileThatDoesNotExistYetIsWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "later.log")
	r, err := pipe.NewTail(path, false, pipe.Options{})
	s := subscribe(t, r, err)
	if err := os.WriteFile(path, []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := next(t, s).Message(); got != "hello" {
		t.Error(got)
	}
}
