package mongodb_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	driver "go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/mongodb"
	"github.com/logbook-tray/logbook-tray/core/wire/kombu"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

// options are those of a test, which waits for a server longer than for the next attempt.
// It has to be patient: FerretDB looks through all documents whenever it looks for some.
func options(b *services.Broker) mongodb.Options {
	return mongodb.Options{
		URI: "mongodb://" + b.Addr() + "/logging", ReconnectMax: 500 * time.Millisecond, Linger: services.Patience, Timeout: services.Patience,
	}
}

// database returns the database for a look at what is in it.
func database(t *testing.T, o mongodb.Options) *mongo.Database {
	t.Helper()
	c, err := mongo.Connect(driver.Client().ApplyURI(o.URI))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Disconnect(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c.Database("logging")
}

// ours finds what belongs to receivers.
func ours() bson.M { return bson.M{"queue": bson.M{"$regex": `^logbook-tray\.`}} }

func find(t *testing.T, db *mongo.Database, collection string, what bson.M) (out []bson.M) {
	t.Helper()
	if what == nil {
		what = bson.M{}
	}
	cursor, err := db.Collection(collection).Find(t.Context(), what)
	if err == nil {
		err = cursor.All(t.Context(), &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func insert(t *testing.T, db *mongo.Database, collection string, documents ...any) {
	t.Helper()
	if _, err := db.Collection(collection).InsertMany(t.Context(), documents); err != nil {
		t.Fatal(err)
	}
}

// message returns a document as kombu makes it.
func message(t *testing.T, name string, number int) bson.M {
	t.Helper()
	payload, err := kombu.Append(nil, &kombu.Envelope{Body: brokertest.Numbered(number), Exchange: "logging", RoutingKey: "logging"})
	if err != nil {
		t.Fatal(err)
	}
	return bson.M{"queue": name, "priority": 9, "payload": string(payload)}
}

func TestWhatAReceiverHasLeftIsRemovedByTheNext(t *testing.T) {
	o := options(services.StartFerretDB(t))
	db := database(t, o)
	past, future := time.Now().Add(-time.Second), time.Now().Add(time.Hour)
	route := func(exchange, name string, lease any) bson.M {
		r := bson.M{"exchange": exchange, "queue": name, "routing_key": "logging", "pattern": nil}
		if lease != nil {
			r["lease"] = lease
		}
		return r
	}
	insert(t, db, "messages.routing",
		route("logging", "logging", nil),
		route("logging", "logbook-tray.tap.dead", past),
		route("logging", "logbook-tray.tap.alive", future),
		route("logbook-tray.claims", "logbook-tray.claim.dead", past),
		route("logbook-tray.claims", "logbook-tray.claim.alive", future),
		route("other", "of.somebody.else", past)) // whose lease it is, we do not know
	for i, name := range []string{
		"logbook-tray.tap.dead", "logbook-tray.tap.alive", "logbook-tray.tap.unbound",
		"logbook-tray.claim.dead", "logbook-tray.claim.alive", "of.somebody.else",
	} {
		insert(t, db, "messages", message(t, name, i))
	}
	s := receive(t, o)
	left := map[any]bool{}
	for _, m := range find(t, db, "messages", nil) {
		left[m["queue"]] = true
	}
	if len(left) != 4 || !left["logbook-tray.tap.alive"] || !left["logbook-tray.claim.alive"] || !left["of.somebody.else"] || !left["logging"] {
		t.Errorf("messages are left of %v", left)
	}
	if n := len(find(t, db, "messages.routing", nil)); n != 5 { // one is ours
		t.Errorf("%d are bound", n)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	o.Consume = true
	if r := brokertest.Next(t, receive(t, o)); r.Message() != "3" || !brokertest.Marked(r) {
		t.Errorf("%q, marked %v, is what the dead one had claimed", r.Message(), brokertest.Marked(r))
	}
}

func TestTheMostUrgentAndThenTheOldestComesFirst(t *testing.T) {
	o := options(services.StartFerretDB(t))
	o.Consume = true
	db := database(t, o)
	for i, priority := range []int{9, 5, 0, 9, 0} {
		m := message(t, "logging", i)
		m["_id"], m["priority"] = fmt.Sprint("id", i), priority // any _id will do
		insert(t, db, "messages", m)
	}
	none := message(t, "logging", 5)
	delete(none, "priority") // as no producer does
	number := message(t, "logging", 6)
	number["_id"] = 7
	insert(t, db, "messages", none, number)
	s := receive(t, o)
	for _, want := range []string{"5", "2", "4", "1", "6", "0", "3"} {
		if r := brokertest.Next(t, s); r.Message() != want {
			t.Errorf("got %s, want %s", r.Message(), want)
		}
	}
	brokertest.Await(t, "the messages to be removed", s, func() bool { return len(find(t, db, "messages", nil)) == 0 })
}

func TestWhatNobodyHasDispatchedIsPutBackByClose(t *testing.T) {
	const count = 300
	o := options(services.StartFerretDB(t))
	o.Consume = true
	r, err := mongodb.NewReceiver(o)
	if err != nil {
		t.Fatal(err)
	}
	to := sender(t, o)
	for i := range count {
		brokertest.Send(t, to, brokertest.Numbered(i))
	}
	brokertest.Await(t, "the confirmations", to, func() bool { return to.Sent() == count })
	buf := make([]queue.Message, 10)
	n, err := r.Receive(brokertest.Patience(t), buf)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range buf[:n-1] {
		m.Ack(nil)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	db := database(t, o)
	if there, left := len(find(t, db, "messages", bson.M{"queue": "logging"})), len(find(t, db, "messages", ours())); there != count-n+1 || left != 0 {
		t.Errorf("%d of %d are there, and %d are ours", there, count-n+1, left)
	}
	if routes := find(t, db, "messages.routing", ours()); len(routes) != 0 {
		t.Errorf("bound: %v", routes)
	}
}

func TestARecordThatWasInsertedIsNotInsertedAgain(t *testing.T) {
	const count = 500
	b := services.StartFerretDB(t)
	o := options(b)
	to := sender(t, o)
	for i := range count / 2 {
		brokertest.Send(t, to, brokertest.Numbered(i))
	}
	b.Kill() // with some on their way
	for i := count / 2; i < count; i++ {
		brokertest.Send(t, to, brokertest.Numbered(i))
	}
	b.Restart(t)
	brokertest.Await(t, "the confirmations", to, func() bool { return to.Sent() == count })
	o.Consume = true
	s := receive(t, o)
	for i := range count {
		if r := brokertest.Next(t, s); brokertest.Number(t, r) != i {
			t.Fatalf("got %s, want %d", r.Message(), i)
		}
	}
	db := database(t, o)
	brokertest.Await(t, "the messages to be removed", s, func() bool { return len(find(t, db, "messages", nil)) == 0 })
}

func TestARecordThatIsTooLargeIsRefusedAtOnce(t *testing.T) {
	o := options(services.StartFerretDB(t))
	to := sender(t, o)
	if err := to.Send(t.Context(), make([]byte, mongodb.MaxSize+1)); !errors.Is(err, mongodb.ErrTooLarge) {
		t.Error(err)
	}
	largest := []byte(`{"channel":"c","level":11,"msg":"` + strings.Repeat("x", mongodb.MaxSize-100) + `","extra":{}}`)
	brokertest.Send(t, to, largest)
	brokertest.Await(t, "the confirmation", to, func() bool { return to.Sent() == 1 })
}

func TestWhatTheServerRefusesIsSaid(t *testing.T) {
	b, secure, expired := services.StartFerretDB(t), services.StartFerretDBTLS(t), services.StartFerretDBExpired(t)
	for say, uri := range map[string]string{
		`the user "tray" or its password is wrong`: "mongodb://tray:hush@" + b.Addr() + "/logging", // it takes none
		"certificate": "mongodb://tray:hush@" + secure.Addr() + "/?tls=true&authMechanism=PLAIN",
		"expired":     "mongodb://" + expired.Addr() + "/?tls=true&tlsCAFile=" + filepath.Join(expired.Dir, "ca.pem"),
	} {
		o := mongodb.Options{URI: uri, Linger: -1}
		from, to := subscriber(t, o), sender(t, o)
		brokertest.Failed(t, from, say)
		brokertest.Failed(t, to, say)
		if text := fmt.Sprint(from.Status(), from.Name(), to.Status(), to); strings.Contains(text, "hush") {
			t.Errorf("there is a password in %s", text)
		}
	}
}

func TestWhatIsWrongWithTheAddressIsSaid(t *testing.T) {
	b, secure := services.StartFerretDB(t), services.StartFerretDBTLS(t)
	for say, uri := range map[string]string{
		"one of the two may want TLS":    "mongodb://" + secure.Addr(),
		"is there a primary":             "mongodb://" + b.Addr() + "/?replicaSet=rs0",
		"ask for the hosts of x.invalid": "mongodb+srv://tray:hush@x.invalid/logging",
	} {
		o := mongodb.Options{URI: uri, Linger: -1, Timeout: time.Second}
		for _, s := range []queue.Statuser{subscriber(t, o), sender(t, o)} {
			brokertest.Await(t, say, s, func() bool {
				st := s.Status()
				return st.State == queue.StateConnecting && st.Err != nil && strings.Contains(st.Err.Error(), say)
			})
		}
	}
}

func TestAUserAndAPassword(t *testing.T) {
	o := options(services.StartFerretDB(t))
	o.URI = strings.Replace(o.URI, "//", "//tray:se%2Fcret@", 1) + "?authMechanism=PLAIN"
	s, to := receive(t, o), sender(t, o)
	brokertest.Send(t, to, brokertest.Numbered(1))
	if r := brokertest.Next(t, s); r.Message() != "1" {
		t.Error(r.Message())
	}
	if text := fmt.Sprint(s.Status(), s.Name(), to.Status(), to); strings.Contains(text, "cret") {
		t.Errorf("there is a password in %s", text)
	}
}

func TestTLS(t *testing.T) {
	b := services.StartFerretDBTLS(t)
	file := filepath.Join(b.Dir, "ca.pem")
	ca, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	trust := &tls.Config{RootCAs: x509.NewCertPool()}
	trust.RootCAs.AppendCertsFromPEM(ca)
	for _, o := range []mongodb.Options{
		{URI: "mongodb://" + b.Addr(), TLS: trust},
		{URI: "mongodb://" + b.Addr() + "/?tls=true&tlsCAFile=" + file},
	} {
		s := receive(t, o)
		brokertest.Send(t, sender(t, o), brokertest.Numbered(7))
		if r := brokertest.Next(t, s); r.Message() != "7" {
			t.Error(r.Message())
		}
	}
}

func TestAServerThatIsNotThereIsSaidSoAndWaitedFor(t *testing.T) {
	b := services.StartFerretDB(t)
	b.Kill()
	o := options(b)
	from, to := subscriber(t, o), sender(t, o)
	for _, s := range []queue.Statuser{from, to} {
		brokertest.Await(t, "the reason", s, func() bool {
			st := s.Status()
			return st.State == queue.StateConnecting && st.Err != nil && strings.Contains(st.Err.Error(), "connection refused") && len(st.Err.Error()) < 200
		})
	}
	b.Restart(t)
	brokertest.Connected(t, from)
	brokertest.Send(t, to, brokertest.Numbered(3))
	if r := brokertest.Next(t, from); r.Message() != "3" {
		t.Error(r.Message())
	}
}

func TestCloseDoesNotWaitForAServerThatSaysNothing(t *testing.T) {
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	o := mongodb.Options{URI: "mongodb://" + l.Addr().String(), Linger: -1, Timeout: services.Patience}
	r, err := mongodb.NewReceiver(o)
	if err != nil {
		t.Fatal(err)
	}
	to, err := mongodb.NewSender(o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	start := time.Now()
	if err := errors.Join(r.Close(), to.Close()); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > services.Patience/2 {
		t.Errorf("it took %v", took)
	}
}

func TestWrongOptionsAreErrorsWithoutThePassword(t *testing.T) {
	for _, o := range []mongodb.Options{
		{},
		{URI: "http://localhost"},
		{URI: "mongodb://"},
		{URI: "mongodb://tray:hush@"},
		{URI: "mongodb://tray:hush@/logging"},
		{URI: "mongodb://tray:hush hush@localhost"},
		{URI: "mongodb://tray:hu/sh@localhost"},
		{URI: "mongodb://tray:hush%@localhost"},
		{URI: "mongodb://tray:hush@localhost:x"},
		{URI: "mongodb://tray:hush@local host:1"},
		{URI: "mongodb://tray:hush@localhost/log$ging"},
		{URI: "mongodb://tray:hush@localhost/logging?w=x&journal=hush"},
		{URI: "mongodb://tray:hush@localhost/?tls=true&tlsCAFile=/no/such/file"},
		{URI: "mongodb+srv://tray:hush@localhost:1"},
		{URI: "mongodb://tray:hush@localhost", Queue: "logbook-tray.tap.x"},
	} {
		err := o.Check()
		if err == nil || !strings.Contains(err.Error(), "not valid") {
			t.Errorf("%+v: %v", o, err)
			continue
		}
		if strings.Contains(strings.ReplaceAll(err.Error(), `"journal": "hush"`, ""), "hush") {
			t.Errorf("there is a password in %v", err)
		}
	}
	for _, uri := range []string{
		"mongodb://localhost", "mongodb://a,b:27018,[::1]:27019/logging?replicaSet=x", "mongodb://tray:p%40ss@localhost/?authMechanism=PLAIN",
		"mongodb+srv://tray:hush@cluster.example.com/logging?retryWrites=true",
	} {
		if err := (mongodb.Options{URI: uri}).Check(); err != nil {
			t.Errorf("%s: %v", uri, err)
		}
	}
}
