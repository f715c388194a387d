package queue_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// fakeSender keeps what is sent, or is stuck.
type fakeSender struct {
	sent   []string
	stuck  bool
	closed bool
}

func (s *fakeSender) Send(ctx context.Context, body []byte) error {
	if s.stuck {
		<-ctx.Done()
		return ctx.Err()
	}
	s.sent = append(s.sent, string(body))
	return nil
}

func (s *fakeSender) Close() error { s.closed = true; return nil }

func TestAHandlerPublishesRecordsThatCanBeReadAgain(t *testing.T) {
	s := new(fakeSender)
	h := queue.NewHandler(s, queue.HandlerOptions{})
	ctx := bind(t, h)
	core.NewLogger("shop").WarnContext(ctx, "sold out: {}", "tea")
	if len(s.sent) != 1 {
		t.Fatalf("%d messages", len(s.sent))
	}
	r, err := wire.Decode([]byte(s.sent[0]))
	if err != nil {
		t.Fatal(err)
	}
	if r.Channel != "shop" || r.Level != core.LevelWarning || r.Message() != "sold out: tea" {
		t.Errorf("%+v", r)
	}
	if st := h.Stats(); st.Sent != 1 || st.Bytes != uint64(len(s.sent[0])) || st.Dropped != 0 {
		t.Errorf("%+v", st)
	}
	if err := h.Close(); err != nil || !s.closed {
		t.Error("the sender is not closed")
	}
}

func TestAHandlerDoesNotStopTheProgramThatLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := queue.NewHandler(&fakeSender{stuck: true}, queue.HandlerOptions{})
		start := time.Now()
		err := h.Handle(t.Context(), record("x"))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != queue.DefaultSendTimeout {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if st := h.Stats(); st.Dropped != 1 || st.Sent != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestARecordThatCannotBeEncodedIsDroppedAndCounted(t *testing.T) {
	h := queue.NewHandler(new(fakeSender), queue.HandlerOptions{Encode: func([]byte, *core.Record) ([]byte, error) {
		return nil, errors.New("odd")
	}})
	if err := h.Handle(t.Context(), record("x")); err == nil || !strings.Contains(err.Error(), "encode record: odd") {
		t.Error(err)
	}
	if st := h.Stats(); st.Dropped != 1 {
		t.Errorf("%+v", st)
	}
}
