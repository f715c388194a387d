package mongodb_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/mongodb"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

// Of the program that [killed] starts, which is this one.
const (
	killedURI     = "LOGBOOK_TRAY_TEST_MONGODB_URI"
	killedConsume = "LOGBOOK_TRAY_TEST_MONGODB_CONSUME"
)

func TestMain(m *testing.M) {
	if uri := os.Getenv(killedURI); uri != "" {
		holdOn(mongodb.Options{URI: uri, Consume: os.Getenv(killedConsume) != ""})
	}
	goleak.VerifyTestMain(m)
}

// holdOn receives records and dispatches none, until it is killed.
func holdOn(o mongodb.Options) {
	r, err := mongodb.NewReceiver(o)
	if err != nil {
		panic(err)
	}
	for r.Status().State != queue.StateConnected {
		time.Sleep(time.Millisecond) // it is the other program that waits for a condition
	}
	fmt.Println("connected")
	for {
		if _, err := r.Receive(context.Background(), make([]queue.Message, 1)); err != nil {
			panic(err)
		}
		fmt.Println("received")
	}
}

// killed runs a receiver in a program of its own, which gets the records that send sends,
// and kills it.
func killed(t *testing.T, o mongodb.Options, send func()) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), program)
	c.Env = append(os.Environ(), killedURI+"="+o.URI)
	if o.Consume {
		c.Env = append(c.Env, killedConsume+"=1")
	}
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(out)
	for _, want := range []string{"connected", "received"} {
		if !said.Scan() || said.Text() != want {
			t.Fatalf("it says %q", said.Text())
		}
		if want == "connected" {
			send()
		}
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // it was killed
}

func TestWhatAReceiverLeavesThatIsKilled(t *testing.T) {
	const count = 20
	for _, consume := range []bool{false, true} {
		t.Run(map[bool]string{false: "a_tap", true: "a_consumer"}[consume], func(t *testing.T) {
			o := options(services.StartFerretDB(t))
			o.Consume = consume
			db := database(t, o)
			to := sender(t, o)
			killed(t, o, func() {
				for i := range count {
					brokertest.Send(t, to, brokertest.Numbered(i))
				}
				brokertest.Await(t, "the confirmations", to, func() bool { return to.Sent() == count })
			})
			routes, held := find(t, db, "messages.routing", ours()), len(find(t, db, "messages", ours()))
			if len(routes) != 1 || held == 0 {
				t.Fatalf("%v is bound, and %d messages are held", routes, held)
			}
			// For as long as it is to be believed it may be alive.
			lease, ok := routes[0]["lease"].(bson.DateTime)
			if until := lease.Time(); !ok || until.Before(time.Now()) || until.After(time.Now().Add(2*time.Minute)) {
				t.Errorf("it is believed until %v", until)
			}
			if _, expires := routes[0]["expire_at"]; expires == consume {
				t.Errorf("the server lets go of it by itself: %v", expires)
			}
			next := receive(t, o)
			if len(find(t, db, "messages.routing", bson.M{"_id": routes[0]["_id"]})) != 1 || len(find(t, db, "messages", bson.M{"queue": routes[0]["queue"]})) != held {
				t.Error("what may be alive was removed")
			}
			if err := next.Close(); err != nil {
				t.Error(err)
			}
			past := bson.M{"$set": bson.M{"lease": time.Now().Add(-time.Second)}}
			if _, err := db.Collection("messages.routing").UpdateOne(t.Context(), bson.M{"_id": routes[0]["_id"]}, past); err != nil {
				t.Fatal(err)
			}
			next = receive(t, o)
			if consume {
				for i := range count {
					r := brokertest.Next(t, next)
					if brokertest.Number(t, r) != i || i < held && !brokertest.Marked(r) {
						t.Fatalf("got %s, marked %v, want %d", r.Message(), brokertest.Marked(r), i)
					}
				}
			}
			if err := next.Close(); err != nil {
				t.Error(err)
			}
			if left := find(t, db, "messages.routing", ours()); len(left) != 0 {
				t.Errorf("bound: %v", left)
			}
			left := find(t, db, "messages", nil)
			for _, m := range left {
				if name, _ := m["queue"].(string); strings.HasPrefix(name, "logbook-tray.") {
					t.Errorf("a message is left in %s", name)
				}
			}
			if want := map[bool]int{false: count, true: 0}[consume]; len(left) != want { // nobody else takes those of kombu's queue
				t.Errorf("%d messages are left of %d", len(left), want)
			}
		})
	}
}
