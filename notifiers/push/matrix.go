package push

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"sync/atomic"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/post"
)

// matrixMaxBytes bounds the content of an event. The whole event, with what the
// servers add, may have 65 536 bytes.
const matrixMaxBytes = 56_000

// MatrixOptions are the settings of a notifier for Matrix. Server, Token and Room are
// required.
type MatrixOptions struct {
	// Server is the address of the homeserver.
	Server string
	// Token is an access token of the user who sends.
	Token string
	// Room is the ID of a room that the user is in: "!abc:example.org". It is not
	// encrypted what is sent there.
	Room string
	// Client makes the requests; nil means one of its own. Redirects are not
	// followed.
	Client *http.Client
}

// Matrix sends notifications to a room, as plain text that mentions nobody, by the
// client-server API, version 3. Each message has a transaction ID of its own, so that
// one that is repeated after a failure is there once. Repeats of a record change the
// message that is there (m.replace). Below warning it is an m.notice, of which
// programs make no sound. It is safe for concurrent use, where calls about the same
// notification come one after the other.
type Matrix struct {
	poster  *post.Client
	address string // of the room, without the transaction
	header  http.Header
	run     string // tells the transactions of this run from those of others
	count   atomic.Uint64
	sent    sent
}

var _ notifiers.Notifier = (*Matrix)(nil)

var matrixRoom = regexp.MustCompile(`^![^\s/]{1,254}$`)

// NewMatrix returns a notifier. The error says which option is wrong.
func NewMatrix(o MatrixOptions) (*Matrix, error) {
	server, err := post.BaseURL("matrix", o.Server)
	switch {
	case err != nil:
		return nil, err
	case o.Token == "":
		return nil, errors.New("matrix: token: none is given")
	case !matrixRoom.MatchString(o.Room):
		return nil, errors.New("matrix: room: want the ID of a room, such as !abc:example.org")
	}
	return &Matrix{
		poster: post.New("matrix", o.Client, o.Token), run: rand.Text(),
		address: server + "/_matrix/client/v3/rooms/" + url.PathEscape(o.Room) + "/send/m.room.message/",
		header:  http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + o.Token}},
	}, nil
}

// matrixMessage is the content of an m.room.message event.
type matrixMessage struct {
	Type     string          `json:"msgtype"`
	Body     string          `json:"body"`
	Mentions struct{}        `json:"m.mentions"` // nobody
	New      *matrixMessage  `json:"m.new_content,omitempty"`
	Relation *matrixRelation `json:"m.relates_to,omitempty"`
}

type matrixRelation struct {
	Type  string `json:"rel_type"`
	Event string `json:"event_id"`
}

// Notify sends a notification, or changes the one that was sent. The error wraps
// [ErrRefused] if the server does not want it.
func (m *Matrix) Notify(ctx context.Context, of notifiers.Notification) error {
	whole := together(of)
	event, edit := m.sent.name(of.ID)
	body, err := json.Marshal(matrixContent(of.Level, fit(&whole, matrixMaxBytes, func(text string) int {
		// A message has to be as short as the edit of it would have to be.
		b, err := json.Marshal(matrixContent(of.Level, text, "$"+m.run))
		if err != nil {
			return 0 // is found again
		}
		return len(b)
	}), event))
	if err != nil {
		return fmt.Errorf("matrix: %w", err)
	}
	transaction := "logbook-tray-" + m.run + "-" + strconv.FormatUint(m.count.Add(1), 10)
	answer, err := m.poster.Do(ctx, post.Request{Method: http.MethodPut, Address: m.address + transaction, Header: m.header, Body: body})
	if err != nil || edit {
		return err // edits are of the first event, always
	}
	var a struct {
		Event string `json:"event_id"`
	}
	if json.Unmarshal(answer.Body, &a) == nil && a.Event != "" {
		m.sent.remember(of.ID, a.Event)
	}
	return nil
}

// matrixContent returns a message, or the edit of an event.
func matrixContent(l core.Level, text, event string) matrixMessage {
	message := matrixMessage{Type: "m.notice", Body: text}
	if l >= core.LevelWarning {
		message.Type = "m.text"
	}
	if event == "" {
		return message
	}
	return matrixMessage{
		Type: message.Type, Body: "* " + text, New: &message, // the body is for programs that know no edits
		Relation: &matrixRelation{Type: "m.replace", Event: event},
	}
}
