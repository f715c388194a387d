package main

import (
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/push"
	"github.com/logbook-tray/logbook-tray/notifiers/twitter"
)

// pushKinds are the notifiers that make HTTP requests: to the phone and to the team's
// chat.
func pushKinds(a *app.App) []pipeline.HandlerKind {
	return []pipeline.HandlerKind{
		handlerKind("ntfy", "a push message through ntfy", plain[ntfyOptions], newNtfy(a)),
		handlerKind("gotify", "a push message through Gotify", plain[gotifyOptions], newGotify(a)),
		handlerKind("pushover", "a push message through Pushover", plain[pushoverOptions], newPushover(a)),
		handlerKind("pushbullet", "a push message through Pushbullet", plain[pushbulletOptions], newPushbullet(a)),
		handlerKind("telegram", "a message of a Telegram bot", plain[telegramOptions], newTelegram(a)),
		handlerKind("matrix", "a message in a Matrix room", plain[matrixOptions], newMatrix(a)),
		handlerKind("slack", "a message in a Slack channel", plain[slackOptions], newSlack(a)),
		handlerKind("discord", "a message in a Discord channel", plain[discordOptions], newDiscord(a)),
		handlerKind("mattermost", "a message in a Mattermost channel", plain[mattermostOptions], newMattermost(a)),
		handlerKind("teams", "a card in a Microsoft Teams channel", plain[teamsOptions], newTeams(a)),
		handlerKind("webhook", "the alert as JSON for any HTTP server", plain[webhookOptions], newWebhook(a)),
		handlerKind("twitter", "a post on X, which was Twitter", plain[twitterOptions], newTwitter(a)),
	}
}

// defaultPushTimeout leaves the services on the network time for several attempts.
const defaultPushTimeout = 2 * time.Minute

// pushing are the options of notifiers that make HTTP requests.
type pushing struct {
	notifying
	clientTLS
}

// push is [notifying.notify] with a client for the requests; nil means the default.
func (o *pushing) push(env *pipeline.Env, a *app.App, build func(*http.Client) (notifiers.Notifier, error)) (core.Handler, error) {
	if o.Timeout == 0 {
		o.Timeout = defaultPushTimeout
	}
	secure, err := o.config()
	if err != nil {
		return nil, err
	}
	var client *http.Client
	if secure != nil {
		t := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
		t.TLSClientConfig = secure
		client = &http.Client{Transport: t}
	}
	return o.notify(env, a, func() (notifiers.Notifier, error) { return build(client) })
}

// attaching is the option of notifiers that can attach a file.
type attaching struct {
	AttachContext bool `yaml:"attach_context"`
}

// formatter makes the lines of the file; nil for none.
func (o *attaching) formatter() (notifiers.Formatter, error) {
	if !o.AttachContext {
		return nil, nil //nolint:nilnil // the default
	}
	return format.NewString(format.DefaultTemplate, format.Options{})
}

type ntfyOptions struct {
	pushing
	attaching

	URL      string        `yaml:"url"`
	Topic    string        `yaml:"topic"`
	Token    config.Secret `yaml:"token"`
	Username string        `yaml:"username"`
	Password config.Secret `yaml:"password"`
	Click    string        `yaml:"click"`
	Tags     []string      `yaml:"tags"`
	Actions  []ntfyAction  `yaml:"actions"`
}

type ntfyAction struct {
	Label  string `yaml:"label"`
	URL    string `yaml:"url"`
	Method string `yaml:"method"`
}

func newNtfy(a *app.App) func(*pipeline.Env, *ntfyOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *ntfyOptions) (core.Handler, error) {
		server, topic, err := o.address()
		if err != nil {
			return nil, err
		}
		context, err := o.formatter()
		if err != nil {
			return nil, err
		}
		var actions []push.NtfyAction
		for _, action := range o.Actions {
			actions = append(actions, push.NtfyAction(action))
		}
		return o.push(env, a, func(client *http.Client) (notifiers.Notifier, error) {
			n, err := notifierOf(push.NewNtfy(push.NtfyOptions{
				Server: server, Topic: topic, Token: o.Token.Reveal(), User: o.Username, Password: o.Password.Reveal(),
				Click: o.Click, Tags: o.Tags, Actions: actions, Context: context, Client: client,
			}))
			return n, blame(err, "actions", "actions", "topic", o.topicField(), "server", "url")
		})
	}
}

// address returns the server and the topic: url may name both, as ntfy's
// own documentation writes it, or the server alone.
func (o *ntfyOptions) address() (server, topic string, err error) {
	if o.Topic != "" || o.URL == "" {
		if o.Topic == "" {
			return "", "", config.At("type", "needs a topic, or a url that ends with it")
		}
		return o.URL, o.Topic, nil
	}
	u, err := url.Parse(o.URL)
	if err != nil {
		return "", "", config.At("url", "is not a URL")
	}
	u.Path, topic = path.Split(strings.TrimRight(u.Path, "/"))
	if topic == "" {
		return "", "", config.At("url", "must end with the topic, or a topic must be given")
	}
	return u.String(), topic, nil
}

// topicField is the option that the topic stands in.
func (o *ntfyOptions) topicField() string {
	if o.Topic == "" {
		return "url"
	}
	return "topic"
}

type gotifyOptions struct {
	pushing

	URL         string        `yaml:"url,required"`
	Token       config.Secret `yaml:"token,required"`
	Click       string        `yaml:"click"`
	Markdown    bool          `yaml:"markdown"`
	ClientToken config.Secret `yaml:"client_token"`
}

func newGotify(a *app.App) func(*pipeline.Env, *gotifyOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *gotifyOptions) (core.Handler, error) {
		return o.push(env, a, func(client *http.Client) (notifiers.Notifier, error) {
			n, err := notifierOf(push.NewGotify(push.GotifyOptions{
				Server: o.URL, Token: o.Token.Reveal(), Click: o.Click, Markdown: o.Markdown, ClientToken: o.ClientToken.Reveal(),
				Client: client,
			}))
			return n, blame(err, "token", "token", "server", "url")
		})
	}
}

type pushoverOptions struct {
	pushing

	Token          config.Secret `yaml:"token,required"`
	User           config.Secret `yaml:"user,required"`
	Device         string        `yaml:"device"`
	Sound          string        `yaml:"sound"`
	Click          string        `yaml:"click"`
	EmergencyLevel core.Level    `yaml:"emergency_level"`
	EmergencyRetry time.Duration `yaml:"emergency_retry"`
	EmergencyEnd   time.Duration `yaml:"emergency_expire"`
	URL            string        `yaml:"url"`
}

func newPushover(a *app.App) func(*pipeline.Env, *pushoverOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *pushoverOptions) (core.Handler, error) {
		return o.push(env, a, func(client *http.Client) (notifiers.Notifier, error) {
			n, err := notifierOf(push.NewPushover(push.PushoverOptions{
				Server: o.URL, Token: o.Token.Reveal(), User: o.User.Reveal(), Device: o.Device, Sound: o.Sound, Click: o.Click,
				Emergency: o.EmergencyLevel, Retry: o.EmergencyRetry, Expire: o.EmergencyEnd, Client: client,
			}))
			return n, blame(err, "retry", "emergency_retry", "expire", "emergency_expire", "server", "url")
		})
	}
}

type pushbulletOptions struct {
	pushing

	Token   config.Secret `yaml:"token,required"`
	Device  string        `yaml:"device"`
	Channel string        `yaml:"channel"`
	Click   string        `yaml:"click"`
	URL     string        `yaml:"url"`
}

func newPushbullet(a *app.App) func(*pipeline.Env, *pushbulletOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *pushbulletOptions) (core.Handler, error) {
		return o.push(env, a, func(client *http.Client) (notifiers.Notifier, error) {
			n, err := notifierOf(push.NewPushbullet(push.PushbulletOptions{
				Server: o.URL, Token: o.Token.Reveal(), Device: o.Device, Channel: o.Channel, Click: o.Click, Client: client,
			}))
			return n, blame(err, "device", "device", "server", "url")
		})
	}
}

type telegramOptions struct {
	pushing
	attaching

	Token  config.Secret `yaml:"token,required"`
	Chat   string        `yaml:"chat,required"`
	Thread int64         `yaml:"thread"`
	URL    string        `yaml:"url"`
}

func newTelegram(a *app.App) func(*pipeline.Env, *telegramOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *telegramOptions) (core.Handler, error) {
		context, err := o.formatter()
		if err != nil {
			return nil, err
		}
		return o.push(env, a, func(client *http.Client) (notifiers.Notifier, error) {
			n, err := notifierOf(push.NewTelegram(push.TelegramOptions{
				Server: o.URL, Token: o.Token.Reveal(), Chat: o.Chat, Thread: o.Thread, Context: context, Client: client,
			}))
			return n, blame(err, "token", "token", "chat", "chat", "server", "url")
		})
	}
}

type matrixOptions struct {
	pushing
	attaching

	URL   string        `yaml:"url,required"`
	Token config.Secret `yaml:"token,required"`
	Room  string        `yaml:"room,required"`
}

func newMatrix(a *app.App) func(*pipeline.Env, *matrixOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *matrixOptions) (core.Handler, error) {
		context, err := o.formatter()
		if err != nil {
			return nil, err
		}
		return o.push(env, a, func(client *http.Client) (notifiers.Notifier, error) {
			n, err := notifierOf(push.NewMatrix(push.MatrixOptions{
				Server: o.URL, Token: o.Token.Reveal(), Room: o.Room, Context: context, Client: client,
			}))
			return n, blame(err, "room", "room", "server", "url")
		})
	}
}

// webhookField is what the errors about the address of a webhook belong to.
func webhookField(err error) error { return blame(err, "address of the webhook", "webhook") }

type slackOptions struct {
	pushing

	Webhook config.Secret `yaml:"webhook,required"`
}

func newSlack(a *app.App) func(*pipeline.Env, *slackOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *slackOptions) (core.Handler, error) {
		return o.push(env, a, func(client *http.Client) (notifiers.Notifier, error) {
			n, err := notifierOf(push.NewSlack(push.SlackOptions{Webhook: o.Webhook.Reveal(), Client: client}))
			return n, webhookField(err)
		})
	}
}

type discordOptions struct {
	pushing
	attaching

	Webhook  config.Secret `yaml:"webhook,required"`
	Username string        `yaml:"username"`
	Avatar   string        `yaml:"avatar"`
}

func newDiscord(a *app.App) func(*pipeline.Env, *discordOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *discordOptions) (core.Handler, error) {
		context, err := o.formatter()
		if err != nil {
			return nil, err
		}
		return o.push(env, a, func(client *http.Client) (notifiers.Notifier, error) {
			n, err := notifierOf(push.NewDiscord(push.DiscordOptions{
				Webhook: o.Webhook.Reveal(), Username: o.Username, AvatarURL: o.Avatar, Context: context, Client: client,
			}))
			return n, webhookField(err)
		})
	}
}

type mattermostOptions struct {
	pushing

	Webhook  config.Secret `yaml:"webhook,required"`
	Channel  string        `yaml:"channel"`
	Username string        `yaml:"username"`
	Icon     string        `yaml:"icon"`
}

func newMattermost(a *app.App) func(*pipeline.Env, *mattermostOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *mattermostOptions) (core.Handler, error) {
		return o.push(env, a, func(client *http.Client) (notifiers.Notifier, error) {
			n, err := notifierOf(push.NewMattermost(push.MattermostOptions{
				Webhook: o.Webhook.Reveal(), Channel: o.Channel, Username: o.Username, IconURL: o.Icon, Client: client,
			}))
			return n, webhookField(err)
		})
	}
}

type teamsOptions struct {
	pushing

	Webhook config.Secret `yaml:"webhook,required"`
	Click   string        `yaml:"click"`
}

func newTeams(a *app.App) func(*pipeline.Env, *teamsOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *teamsOptions) (core.Handler, error) {
		return o.push(env, a, func(client *http.Client) (notifiers.Notifier, error) {
			n, err := notifierOf(push.NewTeams(push.TeamsOptions{Webhook: o.Webhook.Reveal(), Click: o.Click, Client: client}))
			return n, webhookField(err)
		})
	}
}

type webhookOptions struct {
	pushing

	URL      config.Secret            `yaml:"url,required"`
	Method   string                   `yaml:"method"`
	Headers  map[string]config.Secret `yaml:"headers"`
	Template string                   `yaml:"template"`
	Context  int                      `yaml:"context"`
}

func newWebhook(a *app.App) func(*pipeline.Env, *webhookOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *webhookOptions) (core.Handler, error) {
		if err := notNegative("context", o.Context); err != nil {
			return nil, err
		}
		header := http.Header{}
		for _, name := range slices.Sorted(maps.Keys(o.Headers)) {
			header.Add(name, o.Headers[name].Reveal())
		}
		return o.push(env, a, func(client *http.Client) (notifiers.Notifier, error) {
			n, err := notifierOf(push.NewWebhook(push.WebhookOptions{
				URL: o.URL.Reveal(), Method: o.Method, Header: header, Template: o.Template, Context: o.Context, Client: client,
			}))
			return n, blame(err, "address of the webhook", "url", "webhook: method", "method", "webhook: header", "headers",
				"webhook: template", "template")
		})
	}
}

type twitterOptions struct {
	pushing

	ConsumerKey    config.Secret `yaml:"consumer_key,required"`
	ConsumerSecret config.Secret `yaml:"consumer_secret,required"`
	Token          config.Secret `yaml:"token,required"`
	TokenSecret    config.Secret `yaml:"token_secret,required"`
	URL            string        `yaml:"url"`
}

func newTwitter(a *app.App) func(*pipeline.Env, *twitterOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *twitterOptions) (core.Handler, error) {
		return o.push(env, a, func(client *http.Client) (notifiers.Notifier, error) {
			n, err := notifierOf(twitter.New(twitter.Options{
				ConsumerKey: o.ConsumerKey.Reveal(), ConsumerSecret: o.ConsumerSecret.Reveal(),
				Token: o.Token.Reveal(), TokenSecret: o.TokenSecret.Reveal(), Server: o.URL, Client: client,
			}))
			return n, blame(err, "server", "url")
		})
	}
}
