// Package push sends notifications to the phone, through servers that their users
// can run themselves: ntfy and Gotify.
//
// A request that fails in a way that may pass is repeated, with growing and
// jittered delays, as long as the context allows: the timeout of the handler
// should be minutes, and a queue stand before it. No error tells a token.
package push

import "github.com/logbook-tray/logbook-tray/notifiers/internal/post"

// ErrRefused is wrapped by the errors of notifications that the server will not
// accept however often they are sent.
var ErrRefused = post.ErrRefused
