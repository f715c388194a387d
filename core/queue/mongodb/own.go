package mongodb

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
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
	afterTaps   = prefix + "tap/" // the first name that begins with nothing of these
)

// claims is the exchange below which a queue of claims is listed. No producer publishes to
// it.
const claims = prefix + "claims"

// A receiver shows that it lives by the time until which it is to be believed, in the
// routing table. It renews that.
const (
	leaseTime  = time.Minute
	renewEvery = 15 * time.Second

	unboundEvery = 20 // how many renewals it takes until it looks for what others have left
)

// stored is a document of the messages, as far as it is needed to find it again.
type stored struct {
	ID       bson.RawValue `bson:"_id"`
	Priority bson.RawValue `bson:"priority"`
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
		// A range of names is one of the index, too.
		cursor, err := c.messages.Aggregate(ctx, mongo.Pipeline{
			field("$match", field("queue", bson.D{{Key: "$gte", Value: tapPrefix}, {Key: "$lt", Value: afterTaps}})),
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

// How many messages a consumer claims at once, and for how long that may be: whoever competes
// with it waits for them, and if it crashes they come again, after its lease. Claims grow
// while they are dispatched in less than half of the time, since each has its price.
const (
	leastClaimed = 250
	mostClaimed  = 8000
	claimTime    = 10 * time.Second
)

// claim moves the first messages from the queue into ours, and reports whether there may be
// more.
func (r *Receiver) claim(c *connection) (more bool, err error) {
	var found []stored
	err = c.do(func(ctx context.Context) error {
		// The index has all that this asks for.
		cursor, err := c.messages.Find(ctx, field("queue", r.opts.Queue), options.Find().SetSort(first()).
			SetLimit(r.share).SetBatchSize(mostClaimed).SetProjection(bson.D{{Key: "priority", Value: 1}}))
		if err != nil {
			return err
		}
		return cursor.All(ctx, &found)
	})
	if err != nil || len(found) == 0 {
		return false, err
	}
	var moves []mongo.WriteModel
	for _, span := range spans(found) {
		// Of those that another has taken meanwhile none is moved.
		moves = append(moves, mongo.NewUpdateManyModel().SetFilter(append(field("queue", r.opts.Queue), span...)).
			SetUpdate(field("$set", field("queue", r.own))))
	}
	err = c.do(func(ctx context.Context) error {
		_, err := c.messages.BulkWrite(ctx, moves, options.BulkWrite().SetOrdered(false))
		return err
	})
	return int64(len(found)) == r.share, err
}

// spans returns what finds messages of a queue again that came in the order of first, and
// what has come between them: a few ranges of kombu's index, however many they are.
func spans(found []stored) (filters []bson.D) {
	for begin, end := 0, 0; begin < len(found); begin = end {
		low := found[begin]
		for end < len(found) && found[end].Priority.Equal(low.Priority) && found[end].ID.Type == low.ID.Type {
			end++
		}
		var priority any // null finds those without
		if low.Priority.Type != 0 {
			priority = low.Priority
		}
		filters = append(filters, bson.D{
			{Key: "priority", Value: priority},
			{Key: "_id", Value: bson.D{{Key: "$gte", Value: low.ID}, {Key: "$lte", Value: found[end-1].ID}}},
		})
	}
	return filters
}

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
	dropped, err := c.delete(r.given.drop(oldest))
	r.trimmed.Add(uint64(dropped)) //nolint:gosec // a count
	return err
}

// deleted is how many messages are removed at once.
const deleted = 1000

// delete removes messages of our queue and returns how many there were.
func (c *connection) delete(ids []bson.RawValue) (count int64, err error) {
	for some := range slices.Chunk(ids, deleted) {
		// Each by its _id alone: so it is found at once, by FerretDB, too, and if it is not ours any
		// more, because we were believed dead, nobody has to get it again.
		models := make([]mongo.WriteModel, len(some))
		for i, id := range some {
			models[i] = mongo.NewDeleteOneModel().SetFilter(field("_id", id))
		}
		err := c.do(func(ctx context.Context) error {
			result, err := c.messages.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false))
			if err == nil {
				count += result.DeletedCount
			}
			return err
		})
		if err != nil {
			return count, fmt.Errorf("remove messages: %w", err)
		}
	}
	return count, nil
}
