package control

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/core/queue/rejected"
)

// Rejects counts the messages that are no record.
type Rejects struct {
	Kept  int `json:"kept"`
	Bytes int `json:"bytes"` // of the files
	// Limited were more of a kind than are kept at once, Dropped came faster than they could
	// be written, Failed could not be written; Error says why.
	Limited uint64 `json:"limited"`
	Dropped uint64 `json:"dropped"`
	Failed  uint64 `json:"failed"`
	Error   string `json:"error,omitempty"`
}

// Rejected is a message that is no record.
type Rejected struct {
	rejected.Entry

	// Text is what the message looks like, harmless to show: its beginning on one line in a
	// list, and otherwise all that is kept of it.
	Text string `json:"text"`
}

// maxStart is how many characters of a message a list shows.
const maxStart = 200

// NewRejected returns an entry with its text.
func NewRejected(e rejected.Entry) Rejected {
	out := Rejected{Entry: e}
	if e.Body != nil {
		out.Text = display.Dump(e.Body)
		return out
	}
	out.Text = display.EscapeLine(e.Start, maxStart)
	out.Start = nil
	return out
}

// NewRejectedList returns entries of a list with their texts.
func NewRejectedList(list []rejected.Entry) []Rejected {
	out := make([]Rejected, len(list))
	for i, e := range list {
		out[i] = NewRejected(e)
	}
	return out
}

// NoRejected returns the error that there is no rejected message with this ID.
func NoRejected(id uint64) error {
	return fmt.Errorf("there is no rejected message %d; see: logbook-tray rejected", id)
}

// Retried says what became of rejected messages that were read again.
type Retried struct {
	Records []RetriedRecord `json:"records"`
	Failed  []RetryFailure  `json:"failed"`
}

// RetriedRecord is a record that a rejected message has become.
type RetriedRecord struct {
	ID      uint64 `json:"id"` // of the message
	Level   string `json:"level"`
	Channel string `json:"channel"`
	Message string `json:"message"`
}

// RetryFailure says why a message is still no record.
type RetryFailure struct {
	ID    uint64 `json:"id"`
	Error string `json:"error"`
}

// Add notes what became of one message.
func (r *Retried) Add(id uint64, rec *core.Record, err error) {
	if err != nil {
		r.Failed = append(r.Failed, RetryFailure{id, err.Error()})
		return
	}
	r.Records = append(r.Records, RetriedRecord{id, rec.Level.String(), rec.Channel, rec.Message()})
}

// Rejected lists the rejected messages that are kept and selected by q, newest first.
func (c *Client) Rejected(ctx context.Context, q rejected.Query) (list []Rejected, err error) {
	return list, c.call(ctx, http.MethodGet, "/rejected?"+rejectedValues(q).Encode(), nil, &list)
}

// RejectedMessage returns one of them, with its body.
func (c *Client) RejectedMessage(ctx context.Context, id uint64) (r Rejected, err error) {
	return r, c.call(ctx, http.MethodGet, "/rejected/"+strconv.FormatUint(id, 10), nil, &r)
}

// RetryRejected has a message read again, or with id 0 all that q selects.
func (c *Client) RetryRejected(ctx context.Context, id uint64, q rejected.Query) (r Retried, err error) {
	return r, c.call(ctx, http.MethodPost, "/rejected/"+strconv.FormatUint(id, 10)+"/retry?"+rejectedValues(q).Encode(), nil, &r)
}

// ClearRejected removes a message, or with id 0 all that q selects, and returns how many
// there were.
func (c *Client) ClearRejected(ctx context.Context, id uint64, q rejected.Query) (n int, err error) {
	return n, c.call(ctx, http.MethodDelete, "/rejected/"+strconv.FormatUint(id, 10)+"?"+rejectedValues(q).Encode(), nil, &n)
}

func rejectedValues(q rejected.Query) url.Values {
	return url.Values{"source": {q.Source}, "reason": {q.Reason}, "limit": {strconv.Itoa(q.Limit)}}
}

func rejectedQuery(req *http.Request) rejected.Query {
	limit, _ := strconv.Atoi(req.FormValue("limit")) // 0 is all
	return rejected.Query{Source: req.FormValue("source"), Reason: req.FormValue("reason"), Limit: limit}
}

// handleRejected adds what is about rejected messages.
func handleRejected(mux *http.ServeMux, inst Instance) {
	mux.HandleFunc("GET /rejected", func(w http.ResponseWriter, req *http.Request) {
		reply(w, NewRejectedList(inst.Rejected(rejectedQuery(req))))
	})
	mux.HandleFunc("GET /rejected/{id}", func(w http.ResponseWriter, req *http.Request) {
		withID(w, req, func(id uint64) {
			e, err := inst.RejectedMessage(id)
			if err != nil {
				fail(w, http.StatusNotFound, err)
				return
			}
			reply(w, NewRejected(e))
		})
	})
	mux.HandleFunc("POST /rejected/{id}/retry", func(w http.ResponseWriter, req *http.Request) {
		withID(w, req, func(id uint64) { reply(w, inst.RetryRejected(req.Context(), id, rejectedQuery(req))) })
	})
	mux.HandleFunc("DELETE /rejected/{id}", func(w http.ResponseWriter, req *http.Request) {
		withID(w, req, func(id uint64) {
			n, err := inst.ClearRejected(id, rejectedQuery(req))
			if err != nil {
				fail(w, http.StatusConflict, err)
				return
			}
			reply(w, n)
		})
	})
}
