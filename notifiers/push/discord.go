package push

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/post"
)

// The documented limits of an embed. Discord's own program counts UTF-16 units.
const (
	discordMaxTitle = 256
	discordMaxText  = 4096
)

// DiscordOptions are the settings of a notifier for Discord. Webhook is required.
type DiscordOptions struct {
	// Webhook is the address of a webhook, a secret:
	// "https://discord.com/api/webhooks/ID/TOKEN", with "?thread_id=..." for a
	// thread.
	Webhook string
	// Username and AvatarURL are shown as the sender; "" means the webhook's.
	Username, AvatarURL string
	// Context, if not nil, makes the lines of a file that is attached: the records that
	// led up to the error.
	Context notifiers.Formatter
	// Client makes the requests; nil means one of its own. Redirects are not
	// followed.
	Client *http.Client
}

// Discord sends notifications to a webhook, as an embed with the colour of the level:
// the text is a block of code, so that nothing in a record is taken for markup, and
// nobody is mentioned. Repeats change the message that is there, or send it anew if it
// was deleted. A text that is too long for an embed is attached as a file. The service is closed: this is tested against the published protocol
// only. It is safe for concurrent use, where calls about the same notification come
// one after the other.
type Discord struct {
	poster *post.Client
	opts   DiscordOptions
	hook   url.URL
	sent   sent
}

var _ notifiers.Notifier = (*Discord)(nil)

// NewDiscord returns a notifier. The error says which option is wrong.
func NewDiscord(o DiscordOptions) (*Discord, error) {
	u, secrets, err := post.Webhook("discord", o.Webhook)
	if err != nil {
		return nil, err
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return &Discord{poster: post.New("discord", o.Client, secrets...), opts: o, hook: *u}, nil
}

// discordMessage is a message as a webhook reads it.
type discordMessage struct {
	Username  string          `json:"username,omitempty"`
	AvatarURL string          `json:"avatar_url,omitempty"`
	Embeds    []discordEmbed  `json:"embeds"`
	Mentions  discordMentions `json:"allowed_mentions"`
}

type discordEmbed struct {
	Title string `json:"title,omitempty"`
	Text  string `json:"description,omitempty"`
	Color int    `json:"color"`
}

// discordMentions says who may be mentioned: nobody.
type discordMentions struct {
	Parse []string `json:"parse"`
}

// Notify sends a notification, or changes the one that was sent. The error wraps
// [ErrRefused] if the service does not want it.
func (d *Discord) Notify(ctx context.Context, of notifiers.Notification) error {
	m := discordMessage{Embeds: []discordEmbed{discordEmbedOf(of)}, Mentions: discordMentions{Parse: []string{}}}
	if name, ok := d.sent.name(of.ID); ok {
		answer, err := d.call(ctx, http.MethodPatch, d.address("/messages/"+url.PathEscape(name), nil), m)
		if err == nil || answer.Status != http.StatusNotFound {
			return err
		} // it was deleted
	}
	m.Username, m.AvatarURL = d.opts.Username, d.opts.AvatarURL
	var attaching error
	if file := fileOf(of, d.opts.Context, !strings.Contains(m.Embeds[0].Text, fenced(of.Text(0)))); file != nil {
		if attaching = d.attach(ctx, of.ID, m, file); attaching == nil {
			return nil
		}
	}
	answer, err := d.call(ctx, http.MethodPost, d.address("", url.Values{"wait": {"true"}}), m)
	if err != nil {
		return err
	}
	d.remember(of.ID, answer)
	if attaching != nil && d.opts.Context != nil {
		return fmt.Errorf("discord: %w: the file with the context: %w", notifiers.ErrPartly, attaching)
	}
	return nil
}

// attach sends a message with a file.
func (d *Discord) attach(ctx context.Context, id uint64, m discordMessage, file []byte) error {
	ctx, cancel := context.WithTimeout(ctx, fileTime)
	defer cancel()
	message, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("discord: %w", err)
	}
	f := newForm()
	f.add("payload_json", "", "application/json", message)
	f.add("files[0]", fileName, fileType, file)
	header, body := f.body()
	answer, err := d.poster.Do(ctx, post.Request{Address: d.address("", url.Values{"wait": {"true"}}), Header: header, Body: body})
	if err != nil {
		return err
	}
	d.remember(id, answer)
	return nil
}

// remember notes what Discord calls a message.
func (d *Discord) remember(id uint64, answer post.Answer) {
	var a struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(answer.Body, &a) == nil && a.ID != "" {
		d.sent.remember(id, a.ID)
	}
}

func discordEmbedOf(of notifiers.Notification) discordEmbed {
	e := discordEmbed{Color: colour(of.Level)}
	for n := discordMaxTitle; ; n-- { // escaping makes it longer
		if e.Title = plain(display.Cut(of.Title, n)); units(e.Title) <= discordMaxTitle {
			break
		}
	}
	if text := fit(&of, discordMaxText, func(t string) int { return units(fenced(t)) }); text != "" {
		e.Text = fenced(text)
	}
	return e
}

// address returns that of the webhook, with a path and a query added.
func (d *Discord) address(path string, query url.Values) string {
	u, q := d.hook, d.hook.Query()
	maps.Copy(q, query)
	u.Path += path
	u.RawPath, u.RawQuery = "", q.Encode()
	return u.String()
}

func (d *Discord) call(ctx context.Context, method, address string, m discordMessage) (post.Answer, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return post.Answer{}, fmt.Errorf("discord: %w", err)
	}
	return d.poster.Do(ctx, post.Request{Method: method, Address: address, Header: jsonHeader(), Body: body})
}
