package redis

import (
	"errors"
	"fmt"
	"io"

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
