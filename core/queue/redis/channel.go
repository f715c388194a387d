package redis

import (
	"context"
	"errors"
	"fmt"

	goredis "github.com/redis/go-redis/v9"
)

// listen receives what is published.
func (r *Receiver) listen(ctx context.Context) error {
	sub := r.redis.Subscribe(r.life, r.opts.Queue)
	defer func() { _ = sub.Close() }()
	defer context.AfterFunc(ctx, func() { _ = sub.Close() })()
	for ctx.Err() == nil {
		got, err := sub.ReceiveTimeout(r.life, block)
		if timeout, ok := errors.AsType[interface {
			error
			Timeout() bool
		}](err); ok && timeout.Timeout() {
			continue
		}
		if err != nil {
			return fmt.Errorf("listen to %s: %w", r.opts.Queue, err)
		}
		switch got := got.(type) {
		case *goredis.Subscription:
			r.link.Up("listens to the channel "+r.opts.Queue, nil)
		case *goredis.Message:
			r.inbox.Put(append(r.inbox.New(), r.message([]byte(got.Payload))))
		}
	}
	return nil
}
