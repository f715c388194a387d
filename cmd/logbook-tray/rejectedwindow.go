package main

import (
	"context"
	"fmt"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/core/queue/rejected"
	"github.com/logbook-tray/logbook-tray/ui/model"
	"github.com/logbook-tray/logbook-tray/ui/rejectedwindow"
)

// maxShown bounds the list in the window of the rejected messages of a source.
const maxShown = 1000

// rejected returns what the window of the rejected messages of a source works with.
func (d *desktop) rejected(source string) rejectedwindow.Options {
	q := rejected.Query{Source: source}
	return rejectedwindow.Options{
		Source: source,
		List: func() []rejectedwindow.Message {
			list := d.app.Rejected(rejected.Query{Source: source, Limit: maxShown})
			out := make([]rejectedwindow.Message, len(list))
			for i, e := range list {
				out[i] = rejectedMessage(control.NewRejected(e))
			}
			return out
		},
		Body: func(id uint64) (string, error) {
			e, err := d.app.RejectedMessage(id)
			return control.NewRejected(e).Text, err
		},
		Retry: func(ctx context.Context, id uint64) (r rejectedwindow.Result) {
			done := d.app.RetryRejected(ctx, id, q)
			r.Records, r.Failed = len(done.Records), len(done.Failed)
			if r.Failed > 0 {
				r.Error = done.Failed[r.Failed-1].Error // of the newest
			}
			return r
		},
		Remove: func(id uint64) error {
			_, err := d.app.ClearRejected(id, q)
			return err
		},
	}
}

func rejectedMessage(e control.Rejected) rejectedwindow.Message {
	m := rejectedwindow.Message{
		ID: e.ID, Time: e.Time, Reason: e.Reason, Detail: display.Line(e.Detail, 300), Peer: display.Line(e.Peer, 100), Start: e.Text,
		Size: model.Number(e.Size) + " bytes",
	}
	switch {
	case e.Cut:
		m.Size = "more than " + m.Size + fmt.Sprintf(", %s of them kept", model.Number(e.Kept))
	case e.Kept < e.Size:
		m.Size += fmt.Sprintf(", the first %s kept", model.Number(e.Kept))
	}
	return m
}
