package mongodb

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

func TestTheQueueOfATapIsBoundedAndWhatIsDroppedIsCounted(t *testing.T) {
	const count, limit = 1500, 20
	b := services.StartFerretDB(t)
	o := Options{URI: "mongodb://" + b.Addr() + "/logging", MaxLength: limit, Linger: services.Patience}
	r, err := NewReceiver(o)
	if err != nil {
		t.Fatal(err)
	}
	full, at, err := o.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	c, err := connect(t.Context(), t.Context(), &full, at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	to, err := NewSender(o)
	if err != nil {
		t.Fatal(err)
	}
	brokertest.Connected(t, r) // it is bound
	buf := make([]queue.Message, 1)
	number := 0
	next := func() string {
		t.Helper()
		n, err := r.Receive(brokertest.Patience(t), buf)
		if err != nil || n != 1 || buf[0].Record == nil {
			t.Fatalf("%+v, %v; %+v", buf, err, r.Status())
		}
		buf[0].Ack(nil)
		return buf[0].Record.Message()
	}
	send := func(until int) {
		t.Helper()
		for ; number < until; number++ {
			if err := to.Send(t.Context(), fmt.Appendf(nil, `{"channel":"c","level":11,"msg":"%d"}`, number)); err != nil {
				t.Fatal(err)
			}
		}
	}
	send(1)
	if got := next(); got != "0" {
		t.Error(got)
	}
	send(count)
	if err := to.Close(); err != nil { // all are there, and nobody reads
		t.Fatal(err)
	}
	for range 2 {
		if err := r.trim(c); err != nil {
			t.Fatal(err)
		}
	}
	last, got := 0, 1
	for last < count-1 {
		var n int
		if _, err := fmt.Sscan(next(), &n); err != nil || n <= last {
			t.Fatalf("%d after %d, %v", n, last, err)
		}
		last = n
		got++
	}
	if dropped := r.Dropped(); dropped == 0 || uint64(got)+dropped != count {
		t.Errorf("%d received and %d dropped of %d", got, dropped, count)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func rawID(t *testing.T, v any) bson.RawValue {
	t.Helper()
	kind, value, err := bson.MarshalValue(v)
	if err != nil {
		t.Fatal(err)
	}
	return bson.RawValue{Type: kind, Value: value}
}

func TestAMessageIsGivenOnceAndKnownWhenItComesAgain(t *testing.T) {
	g := newGiven()
	a, b := rawID(t, "a"), rawID(t, int64(1))
	for _, id := range []bson.RawValue{a, b} {
		if first, again := g.give(id); !first || again {
			t.Error("it is new")
		}
	}
	if first, _ := g.give(a); first {
		t.Error("given twice")
	}
	g.settle(a)
	if ids := g.settled(); len(ids) != 1 || !ids[0].Equal(a) {
		t.Errorf("%v", ids)
	}
	if first, _ := g.give(a); first {
		t.Error("given twice, although it may still be there")
	}
	g.removed(1)
	if first, again := g.give(a); !first || !again || g.idle() {
		t.Error("the server has lost that it was removed")
	}
	g.settle(b)
	g.settle(a)
	g.removed(2)
	if !g.idle() || len(g.settled()) != 0 {
		t.Error("everything is removed")
	}
}

func TestOfWhatWasRemovedTheLastIsRemembered(t *testing.T) {
	g := newGiven()
	for i := range 3 * remembered {
		id := rawID(t, int32(i))
		g.give(id)
		g.settle(id)
		g.removed(1)
	}
	if len(g.past) > remembered {
		t.Errorf("%d are", len(g.past))
	}
	if _, again := g.give(rawID(t, int32(3*remembered-1))); !again {
		t.Error("the last is not")
	}
	if _, again := g.give(rawID(t, int32(0))); again {
		t.Error("the first is")
	}
}

func TestARecordKeepsItsIDAndLaterOnesHaveGreaterOnes(t *testing.T) {
	s := newStamps()
	s.last.count = 0xffffff - 50 // about to begin anew
	const window = 10
	var ids []bson.ObjectID
	for number := range uint64(100) {
		st, again := s.of(number, window)
		if again {
			t.Fatal("it is new")
		}
		if number%7 == 0 {
			if same, again := s.of(number, window); same != st || !again {
				t.Fatal("it is another the second time")
			}
		}
		ids = append(ids, s.id(st, "logging"))
		if s.id(st, "logging") != ids[number] || s.id(st, "other") == ids[number] {
			t.Fatal("one record has one _id for each queue")
		}
	}
	if !slices.IsSortedFunc(ids, func(a, b bson.ObjectID) int { return bytes.Compare(a[:], b[:]) }) || len(slices.Compact(ids)) != 100 {
		t.Error("not in order")
	}
	if len(s.known) > window {
		t.Errorf("%d are known", len(s.known))
	}
}

func TestWhatIsClaimedIsFoundByRangesOfTheIndex(t *testing.T) {
	one, two, three := bson.ObjectID{1}, bson.ObjectID{2}, bson.ObjectID{3}
	message := func(priority, id any) stored {
		m := stored{ID: rawID(t, id)}
		if priority != nil {
			m.Priority = rawID(t, priority)
		}
		return m
	}
	span := func(priority, low, high any) bson.D {
		s := bson.D{{Key: "priority", Value: nil}, {Key: "_id", Value: bson.D{{Key: "$gte", Value: rawID(t, low)}, {Key: "$lte", Value: rawID(t, high)}}}}
		if priority != nil {
			s[0].Value = rawID(t, priority)
		}
		return s
	}
	for _, test := range []struct {
		found []stored
		want  []bson.D
	}{
		{nil, nil},
		{[]stored{message(int32(9), one)}, []bson.D{span(int32(9), one, one)}},
		{
			[]stored{message(int32(9), one), message(int32(9), two), message(int32(9), three)},
			[]bson.D{span(int32(9), one, three)},
		},
		{ // MongoDB compares within one type alone
			[]stored{message(nil, one), message(int32(0), "a"), message(int32(0), "b"), message(int32(0), two), message(int32(9), one), message(int32(9), two)},
			[]bson.D{span(nil, one, one), span(int32(0), "a", "b"), span(int32(0), two, two), span(int32(9), one, two)},
		},
	} {
		if got := spans(test.found); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%v, want %v", got, test.want)
		}
	}
}

func TestOfABatchThatIsThereAlreadyTheRestIsPutIn(t *testing.T) {
	const there, count = 350, 400 // FerretDB puts in 100 at once
	o, at, err := Options{URI: "mongodb://" + services.StartFerretDB(t).Addr() + "/logging"}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context(), &o, at, newStamps())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	batch := make([]published, count)
	for i := range batch {
		batch[i] = published{number: uint64(i), body: brokertest.Numbered(i)}
		batch[i].stamp, batch[i].again = s.stamps.of(uint64(i), count)
	}
	if err := s.insert(batch[:there]); err != nil {
		t.Fatal(err)
	}
	if err := s.insert(batch[:there]); err == nil { // nobody has said that they may be there
		t.Error("put in twice")
	}
	for i := range there {
		batch[i].again = true
	}
	if err := s.insert(batch); err != nil {
		t.Fatal(err)
	}
	if n, err := s.conn.messages.CountDocuments(t.Context(), field("queue", o.Queue)); n != count || err != nil {
		t.Errorf("%d of %d are there, %v", n, count, err)
	}
}

func TestAReceiverThatLivesSaysSoAgain(t *testing.T) {
	b := services.StartFerretDB(t)
	for _, consume := range []bool{false, true} {
		o, at, err := Options{URI: "mongodb://" + b.Addr() + "/logging", Consume: consume}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewReceiver(o)
		if err != nil {
			t.Fatal(err)
		}
		c, err := connect(t.Context(), t.Context(), &o, at)
		if err != nil {
			t.Fatal(err)
		}
		lease := func() time.Time {
			t.Helper()
			var routes []struct {
				Lease time.Time `bson:"lease"`
			}
			cursor, err := c.routing.Find(t.Context(), field("queue", r.own))
			if err == nil {
				err = cursor.All(t.Context(), &routes)
			}
			if err != nil || len(routes) != 1 {
				t.Fatalf("%v, %v", routes, err)
			}
			return routes[0].Lease
		}
		brokertest.Connected(t, r)
		first := lease()
		if !first.After(time.Now()) {
			t.Errorf("believed until %v", first)
		}
		brokertest.Await(t, "a later lease", r, func() bool {
			if err := r.bind(c); err != nil {
				t.Error(err)
			}
			return lease().After(first)
		})
		c.close()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}
