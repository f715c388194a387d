package push

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/post"
)

// telegramMaxText is the documented limit of a message. Telegram counts UTF-16
// units.
const telegramMaxText = 4096

// DefaultTelegramServer is the address of the Bot API.
const DefaultTelegramServer = "https://api.telegram.org"

// TelegramOptions are the settings of a notifier for Telegram. Token and Chat are
// required.
type TelegramOptions struct {
	// Server is the address of the Bot API, which can be run by oneself; "" means
	// DefaultTelegramServer.
	Server string
	// Token is that of the bot: "123456:ABC-DEF...".
	Token string
	// Chat is the number of the chat, or "@name" of a channel.
	Chat string
	// Thread is the number of a topic in the chat; 0 for none.
	Thread int64
	// Context, if not nil, makes the lines of a file that is sent as an answer to the
	// message: the records that led up to the error.
	Context notifiers.Formatter
	// Client makes the requests; nil means one of its own. Redirects are not
	// followed.
	Client *http.Client
}

// Telegram sends notifications as a bot, as plain text: nothing in a record is taken
// for markup. Repeats change the message that is there (editMessageText), or send it
// anew if it was deleted. A text that is too long for a message is sent as a file, too.
// Below warning there is no sound. The service is
// closed: this is tested against the published protocol only. It is safe for
// concurrent use, where calls about the same notification come one after the other.
type Telegram struct {
	poster *post.Client
	opts   TelegramOptions
	server string // with the token
	sent   sent
}

var _ notifiers.Notifier = (*Telegram)(nil)

var telegramToken = regexp.MustCompile(`^[0-9]{1,20}:[-_A-Za-z0-9]{1,200}$`)

// NewTelegram returns a notifier. The error says which option is wrong.
func NewTelegram(o TelegramOptions) (*Telegram, error) {
	if o.Server == "" {
		o.Server = DefaultTelegramServer
	}
	server, err := post.BaseURL("telegram", o.Server)
	switch {
	case err != nil:
		return nil, err
	case !telegramToken.MatchString(o.Token):
		return nil, errors.New("telegram: token: want NUMBER:LETTERS, as BotFather gives it")
	case o.Chat == "":
		return nil, errors.New("telegram: chat: none is given")
	}
	return &Telegram{poster: post.New("telegram", o.Client, o.Token), opts: o, server: server + "/bot" + o.Token}, nil
}

// telegramMessage is what sendMessage and editMessageText read.
type telegramMessage struct {
	Chat    string         `json:"chat_id"`
	Message int64          `json:"message_id,omitempty"`
	Thread  int64          `json:"message_thread_id,omitempty"`
	Text    string         `json:"text"`
	Preview map[string]any `json:"link_preview_options"`
	Silent  bool           `json:"disable_notification,omitempty"`
}

// Notify sends a notification, or changes the one that was sent. The error wraps
// [ErrRefused] if the service does not want it.
func (t *Telegram) Notify(ctx context.Context, of notifiers.Notification) error {
	whole := together(of)
	m := telegramMessage{
		Chat: t.opts.Chat, Text: fit(&whole, telegramMaxText, units), Preview: map[string]any{"is_disabled": true},
	}
	if name, ok := t.sent.name(of.ID); ok {
		m.Message, _ = strconv.ParseInt(name, 10, 64)
		answer, err := t.call(ctx, "editMessageText", m)
		switch {
		case err == nil || bytes.Contains(answer.Body, []byte("message is not modified")):
			return nil
		case answer.Status != http.StatusBadRequest:
			return err
		}
		m.Message = 0 // it was deleted, or is too old to be changed
	}
	m.Thread, m.Silent = t.opts.Thread, of.Level < core.LevelWarning
	answer, err := t.call(ctx, "sendMessage", m)
	if err != nil {
		return err
	}
	var a struct {
		Result struct {
			ID int64 `json:"message_id"`
		} `json:"result"`
	}
	if json.Unmarshal(answer.Body, &a) == nil && a.Result.ID != 0 {
		t.sent.remember(of.ID, strconv.FormatInt(a.Result.ID, 10))
	}
	if file := fileOf(of, t.opts.Context, m.Text != whole.Text(0)); file != nil {
		if err := t.document(ctx, a.Result.ID, file); err != nil {
			return fmt.Errorf("telegram: %w: the file: %w", notifiers.ErrPartly, err)
		}
	}
	return nil
}

// document sends a file as an answer to a message.
func (t *Telegram) document(ctx context.Context, message int64, file []byte) error {
	ctx, cancel := context.WithTimeout(ctx, fileTime)
	defer cancel()
	f := newForm()
	f.add("chat_id", "", "", []byte(t.opts.Chat))
	if t.opts.Thread != 0 {
		f.add("message_thread_id", "", "", []byte(strconv.FormatInt(t.opts.Thread, 10)))
	}
	f.add("disable_notification", "", "", []byte("true"))
	if message != 0 {
		answerTo, err := json.Marshal(map[string]any{"message_id": message, "allow_sending_without_reply": true})
		if err != nil {
			return fmt.Errorf("telegram: %w", err)
		}
		f.add("reply_parameters", "", "application/json", answerTo)
	}
	f.add("document", fileName, fileType, file)
	header, body := f.body()
	_, err := t.poster.Do(ctx, post.Request{Address: t.server + "/sendDocument", Header: header, Body: body})
	return err
}

func (t *Telegram) call(ctx context.Context, method string, m telegramMessage) (post.Answer, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return post.Answer{}, fmt.Errorf("telegram: %w", err)
	}
	return t.poster.Do(ctx, post.Request{Address: t.server + "/" + method, Header: jsonHeader(), Body: body})
}
