package queue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
)

// batches notes what comes at once; the first delivery waits for the test.
type batches struct {
	open chan struct{}
	got  [][]string
	fail error
}

func (b *batches) Handle(ctx context.Context, r *core.Record) error {
	return b.HandleBatch(ctx, []*core.Record{r}, "")
}

func (b *batches) HandleBatch(_ context.Context, rs []*core.Record, _ core.BatchReason) error {
	<-b.open
	var texts []string
	for _, r := range rs {
		texts = append(texts, r.Message())
	}
	b.got = append(b.got, texts)
	return b.fail
}

func TestRecordsThatWaitAreDeliveredAtOnceIfThatIsAskedFor(t *testing.T) {
	b := &batches{open: make(chan struct{})}
	a := queue.NewAsync(b, queue.AsyncOptions{Batch: 3})
	for _, text := range []string{"0", "1", "2", "3", "4"} {
		if err := a.Handle(t.Context(), record(text)); err != nil {
			t.Fatal(err)
		}
		if text == "0" { // it goes alone
			b.open <- struct{}{}
		}
	}
	if err := a.HandleBatch(t.Context(), []*core.Record{record("5"), record("6")}, core.BatchEscalation); err != nil {
		t.Fatal(err)
	}
	if err := a.Handle(t.Context(), record("7")); err != nil {
		t.Fatal(err)
	}
	close(b.open)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if st := a.Stats(); st.Delivered != 8 || st.Queued != 0 {
		t.Errorf("%+v", st)
	}
	total := 0
	for i, texts := range b.got {
		if len(texts) > 3 {
			t.Errorf("%q", texts)
		}
		if i == len(b.got)-2 {
			if diff := cmp.Diff([]string{"5", "6"}, texts); diff != "" {
				t.Errorf("a batch of its own is no more one: %s", diff)
			}
		}
		total += len(texts)
	}
	if total != 8 || len(b.got) > 5 {
		t.Errorf("%q", b.got)
	}
}

// useless is an error that another try does not help.
type useless struct{ error }

func (useless) Permanent() bool { return true }

func TestWhatIsPermanentIsNotTriedAgain(t *testing.T) {
	b := &batches{open: make(chan struct{}), fail: useless{errors.New("wrong")}}
	close(b.open)
	a := queue.NewAsync(b, queue.AsyncOptions{Retries: 1000, RetryDelay: time.Hour})
	if err := a.Handle(t.Context(), record("x")); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if st := a.Stats(); st.Failed != 1 || len(b.got) != 1 {
		t.Errorf("%+v, %d attempts", st, len(b.got))
	}
}
