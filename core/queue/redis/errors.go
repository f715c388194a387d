package redis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/logbook-tray/logbook-tray/core/internal/handshake"
)

// remedies say what to do about an answer that begins with a word.
var remedies = []struct{ prefix, remedy string }{ //nolint:gochecknoglobals // it is not changed
	{"OOM", "Redis has no memory for more records: have them consumed, or raise its maxmemory"},
	{"MISCONF", "Redis cannot write to its disk: free the disk"},
	{"READONLY", "this Redis is a replica and takes no records: give the address of the primary"},
	{"WRONGTYPE", "another program keeps something else under this name: choose another queue"},
	{"unknown command", "this needs Redis 6.2 or later"},
	{"DENIED", "Redis wants a password before it lets in other computers"},
	{"NOGROUP", "somebody has removed the stream or its group, which is made again"},
}

// explain says what to do about an error of the server.
func explain(err error, c *goredis.Options) error {
	if err == nil || !isRefused(err) {
		return err
	}
	user := c.Username
	if user == "" {
		user = "default"
	}
	switch {
	case goredis.HasErrorPrefix(err, "WRONGPASS"), goredis.HasErrorPrefix(err, "NOAUTH"):
		return fmt.Errorf("the user %q or its password is wrong: %w", user, err)
	case goredis.HasErrorPrefix(err, "NOPERM"):
		return fmt.Errorf("the user %q may not do this: allow it (ACL SETUSER), with the keys of the queue and those that begin with %s: %w", user, ours, err)
	}
	for _, r := range remedies {
		if goredis.HasErrorPrefix(err, r.prefix) {
			return fmt.Errorf("%s: %w", r.remedy, err)
		}
	}
	return handshake.Explain(err)
}

// connecting says that an error is one of connecting.
func connecting(err error, c *goredis.Options) error {
	if c.TLSConfig == nil && errors.Is(err, io.EOF) {
		err = fmt.Errorf("the server hangs up: it may be no Redis, or one that wants TLS (rediss:): %w", err)
	}
	return fmt.Errorf("connect: %w", err)
}

// isRefused reports whether the server is there and does not want us.
func isRefused(err error) bool {
	if handshake.Refused(err) {
		return true
	}
	answer, ok := errors.AsType[goredis.Error](err)
	return ok && !errors.Is(answer, goredis.Nil) && !goredis.HasErrorPrefix(err, "LOADING")
}

// transact has Redis execute all commands that add adds, or none of them if one is not
// allowed. It returns the first error among the answers.
func transact(ctx context.Context, c *goredis.Client, add func(goredis.Pipeliner)) error {
	commands, err := c.TxPipelined(ctx, func(p goredis.Pipeliner) error {
		add(p)
		return nil
	})
	first := answer(commands, err)
	if goredis.HasErrorPrefix(err, "EXECABORT") {
		return abortedError{first}
	}
	return first
}

// abortedError is the error of a transaction of which nothing was executed.
type abortedError struct{ error }

// Unwrap returns the reason.
func (a abortedError) Unwrap() error { return a.error }

// answer returns the first error among the answers to the commands of a transaction: that
// Redis has given it up because of one tells less. err is that of the transaction.
func answer(commands []goredis.Cmder, err error) error {
	for _, c := range commands {
		if e := c.Err(); e != nil && !errors.Is(e, goredis.Nil) && !goredis.HasErrorPrefix(e, "EXECABORT") {
			return e
		}
	}
	return err
}

// naming is a hook that says for which keys a user may not use a command. Redis says of
// commands alone which they are.
type naming struct{}

var _ goredis.Hook = naming{}

// DialHook implements [goredis.Hook].
func (naming) DialHook(next goredis.DialHook) goredis.DialHook { return next }

// ProcessHook implements [goredis.Hook].
func (naming) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, c goredis.Cmder) error {
		return named(c, next(ctx, c))
	}
}

// ProcessPipelineHook implements [goredis.Hook].
func (naming) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, commands []goredis.Cmder) error {
		err := next(ctx, commands)
		for _, c := range commands {
			c.SetErr(named(c, c.Err()))
		}
		return err
	}
}

// named returns the error of a command, with its name and its keys if it is about them.
func named(c goredis.Cmder, err error) error {
	if !goredis.HasErrorPrefix(err, "NOPERM") || strings.Contains(err.Error(), " command") {
		return err
	}
	return fmt.Errorf("%s %q: %w", strings.ToUpper(c.Name()), keys(c.Args()), err)
}

// keys returns the keys, or the channels, among the words of a command of ours. Nothing else
// is shown: it may be a record.
func keys(words []any) []any {
	switch name, _ := words[0].(string); name {
	case "lmove", "blmove":
		return words[1:3]
	case "del", "exists":
		return words[1:]
	case "brpop", "blpop":
		return words[1 : len(words)-1]
	case "xgroup":
		return words[2:3]
	case "xreadgroup":
		at := slices.Index(words, any("streams"))
		return words[at+1 : at+2]
	default:
		return words[1:min(2, len(words))]
	}
}
