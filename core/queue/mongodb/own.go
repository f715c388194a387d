package mongodb

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// The names of our own queues.
const (
	prefix      = "logbook-tray."
	tapPrefix   = prefix + "tap."
	claimPrefix = prefix + "claim."
)

// claims is the exchange below which a queue of claims is listed. No producer publishes to
// it.
const claims = prefix + "claims"

// A receiver shows that it lives by the time until which it is to be believed, in the
// routing table. It renews that.
const (
	leaseTime  = time.Minute
	renewEvery = 15 * time.Second
)

// stored is a document of the messages, as far as it is needed to find it again.
type stored struct {
	ID bson.RawValue `bson:"_id"`
}

// route is a document of the routing table. Ours have a lease.
type route struct {
	ID         any    `bson:"_id"`
	Queue      string `bson:"queue"`
	RoutingKey string `bson:"routing_key"`
}

// ownQueue returns a new name for the queue of a receiver.
func ownQueue(consume bool) string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // it does not fail
	if consume {
		return claimPrefix + hex.EncodeToString(b)
	}
	return tapPrefix + hex.EncodeToString(b)
}

// first is the order in which kombu's consumer takes messages.
func first() bson.D { return bson.D{{Key: "priority", Value: 1}, {Key: "_id", Value: 1}} }

func field(name string, value any) bson.D { return bson.D{{Key: name, Value: value}} }

// binding returns the document by which producers put messages into a queue of their
// exchange; kombu calls the exchange and the routing key as the queue that it declares.
func binding(exchange, own, key string) bson.D {
	return bson.D{
		{Key: "exchange", Value: exchange}, {Key: "queue", Value: own}, {Key: "routing_key", Value: key}, {Key: "pattern", Value: nil},
	}
}

// bind enters our queue into the routing table, or says there that we live.
func (r *Receiver) bind(c *connection) error {
	now, err := c.now()
	if err != nil {
		return err
	}
	until := now.Add(leaseTime)
	exchange, set := r.opts.Queue, bson.D{{Key: "lease", Value: until}, {Key: "expire_at", Value: until}}
	if r.opts.Consume { // the server must not let go of it, or nobody would put back what it has
		exchange, set = claims, field("lease", until)
	}
	err = c.do(func(ctx context.Context) error {
		_, err := c.routing.UpdateOne(ctx, binding(exchange, r.own, r.opts.Queue), field("$set", set), options.UpdateOne().SetUpsert(true))
		return err
	})
	if err != nil {
		return fmt.Errorf("bind to %s: %w", r.opts.Queue, err)
	}
	return r.sweep(c, now)
}

// expire has the server drop bindings whose lease is over, as kombu does with those that
// have an end. Where it does not know how, the next receiver does it.
func (c *connection) expire() {
	_ = c.do(func(ctx context.Context) error {
		_, err := c.routing.Indexes().CreateOne(ctx, mongo.IndexModel{
			Keys: field("expire_at", 1), Options: options.Index().SetExpireAfterSeconds(0),
		})
		return err
	})
}

// sweep removes the queues of receivers that do not live any more. What one had claimed goes
// back to where it came from.
func (r *Receiver) sweep(c *connection, now time.Time) error {
	var dead []route
	err := c.do(func(ctx context.Context) error {
		cursor, err := c.routing.Find(ctx, field("lease", field("$lt", now)))
		if err != nil {
			return err
		}
		return cursor.All(ctx, &dead)
	})
	for _, d := range dead {
		if err != nil {
			break
		}
		err = c.remove(d, field("$lt", now))
	}
	if err != nil {
		return fmt.Errorf("remove a queue that was left: %w", err)
	}
	return nil
}

// remove removes a queue of ours, if its lease is as given.
func (c *connection) remove(d route, lease bson.D) error {
	if strings.HasPrefix(d.Queue, claimPrefix) { // first, so that it is not forgotten if this fails
		if err := c.putBack(d.Queue, d.RoutingKey); err != nil {
			return err
		}
	}
	if !strings.HasPrefix(d.Queue, prefix) {
		return nil
	}
	return c.do(func(ctx context.Context) error {
		unbound, err := c.routing.DeleteOne(ctx, bson.D{{Key: "_id", Value: d.ID}, {Key: "lease", Value: lease}})
		if err == nil && unbound.DeletedCount > 0 && strings.HasPrefix(d.Queue, tapPrefix) {
			_, err = c.messages.DeleteMany(ctx, field("queue", d.Queue))
		}
		return err
	})
}

// putBack moves claimed messages back to a queue.
func (c *connection) putBack(own, to string) error {
	return c.do(func(ctx context.Context) error {
		_, err := c.messages.UpdateMany(ctx, field("queue", own),
			field("$set", bson.D{{Key: "queue", Value: to}, {Key: "redelivered", Value: true}}))
		return err
	})
}

// sweepUnbound removes messages in the queues of taps that are not bound: the server has
// let go of the binding, or a producer had read the routing table before it was gone.
func (c *connection) sweepUnbound() error {
	err := c.do(func(ctx context.Context) error {
		var with []struct {
			Queue string `bson:"_id"`
		}
		cursor, err := c.messages.Aggregate(ctx, mongo.Pipeline{
			field("$match", field("queue", field("$regex", "^"+regexp.QuoteMeta(tapPrefix)))),
			field("$group", field("_id", "$queue")),
		})
		if err == nil {
			err = cursor.All(ctx, &with)
		}
		if err != nil || len(with) == 0 {
			return err
		}
		// After the messages: a tap is bound before it gets any.
		bound, err := c.queues(ctx, field("exchange", field("$ne", claims)))
		if err != nil {
			return err
		}
		for _, left := range with {
			if slices.Contains(bound, left.Queue) {
				continue
			}
			if _, err := c.messages.DeleteMany(ctx, field("queue", left.Queue)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remove what taps have left: %w", err)
	}
	return nil
}

// queues returns those in the rows of the routing table that match.
func (c *connection) queues(ctx context.Context, match bson.D) ([]string, error) {
	var routes []route
	cursor, err := c.routing.Find(ctx, match, options.Find().SetProjection(field("queue", 1)))
	if err == nil {
		err = cursor.All(ctx, &routes)
	}
	names := make([]string, 0, len(routes))
	for _, r := range routes {
		if !slices.Contains(names, r.Queue) {
			names = append(names, r.Queue)
		}
	}
	return names, err
}

// leave removes our queue. What was claimed and not dispatched goes back.
func (r *Receiver) leave(c *connection) {
	// The next receiver does it if this fails.
	_ = c.do(func(ctx context.Context) error {
		if r.opts.Consume {
			if err := c.putBack(r.own, r.opts.Queue); err != nil {
				return err
			}
		}
		if _, err := c.routing.DeleteMany(ctx, field("queue", r.own)); err != nil {
			return err
		}
		_, err := c.messages.DeleteMany(ctx, field("queue", r.own))
		return err
	})
}

// claim moves some messages from the queue into ours.
func (r *Receiver) claim(c *connection) error {
	var found []stored
	err := c.do(func(ctx context.Context) error {
		cursor, err := c.messages.Find(ctx, field("queue", r.opts.Queue),
			options.Find().SetSort(first()).SetLimit(claimed).SetProjection(field("_id", 1)))
		if err != nil {
			return err
		}
		return cursor.All(ctx, &found)
	})
	if err != nil || len(found) == 0 {
		return err
	}
	ids := make(bson.A, len(found))
	for i := range found {
		ids[i] = found[i].ID
	}
	return c.do(func(ctx context.Context) error {
		// Of those that another has taken meanwhile none is moved.
		_, err := c.messages.UpdateMany(ctx, bson.D{{Key: "queue", Value: r.opts.Queue}, {Key: "_id", Value: field("$in", ids)}},
			field("$set", field("queue", r.own)))
		return err
	})
}

// claimed is how many messages a consumer takes at once.
const claimed = 250

// trim drops the oldest messages of a tap that are too many, and counts them.
func (r *Receiver) trim(c *connection) error {
	var length int64
	err := c.do(func(ctx context.Context) (err error) {
		length, err = c.messages.CountDocuments(ctx, field("queue", r.own))
		return err
	})
	if err != nil || length <= r.opts.MaxLength {
		return err
	}
	var oldest []stored
	err = c.do(func(ctx context.Context) error {
		cursor, err := c.messages.Find(ctx, field("queue", r.own),
			options.Find().SetSort(field("_id", 1)).SetLimit(length-r.opts.MaxLength).SetProjection(field("_id", 1)))
		if err != nil {
			return err
		}
		return cursor.All(ctx, &oldest)
	})
	if err != nil {
		return err
	}
	r.opening.Lock()
	defer r.opening.Unlock()
	dropped, err := r.delete(c, r.given.drop(oldest))
	r.trimmed.Add(uint64(dropped)) //nolint:gosec // a count
	return err
}

// delete removes messages of our queue and returns how many there were.
func (r *Receiver) delete(c *connection, ids []bson.RawValue) (int64, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	var deleted int64
	err := c.do(func(ctx context.Context) error {
		result, err := c.messages.DeleteMany(ctx, bson.D{{Key: "queue", Value: r.own}, {Key: "_id", Value: field("$in", ids)}})
		if err == nil {
			deleted = result.DeletedCount
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("remove messages: %w", err)
	}
	return deleted, nil
}
