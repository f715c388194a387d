// Package push sends notifications over HTTP: to the phone and to the team's chat. ntfy,
// Gotify, Mattermost and Matrix are servers that their users can run themselves;
// Pushover, Pushbullet, Telegram, Slack, Discord and Microsoft Teams are closed services,
// and what sends to them is tested against their published protocols only. [Webhook]
// is for everything else. What is sent to ntfy and Gotify was tried by hand with their
// servers, that of ntfy in a version before 2.16, which takes updates for new messages.
//
// A request that fails in a way that may pass is repeated, with growing and jittered
// delays or when the server says so, as long as the context allows and for 15 minutes at
// most: the timeout of the handler should be minutes, and a queue stand before it. No
// error tells a token, a password or the address of a webhook.
//
// Repeats of a record update the message that was sent where the service can do that:
// ntfy, Telegram, Discord, Matrix. Gotify gets the whole message once more, which with the
// token of a client takes the place of the one before, and the others a short one with the
// count. The last 512 messages of a run can be updated. Texts are cut to what the
// service documents as its limit, between letters, with the count of repeats kept; ntfy,
// Telegram, Discord and Matrix get the whole text as a file, and with a formatter for
// them the records that led up to the error.
package push

import "github.com/logbook-tray/logbook-tray/notifiers/internal/post"

// ErrRefused is wrapped by the errors of notifications that the server will not
// accept however often they are sent.
var ErrRefused = post.ErrRefused
