package queue_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
)

func member(q *fakeQueue, name string) *queue.Subscriber {
	return queue.NewSubscriber(q, queue.Options{Name: name})
}

func TestAGroupReceivesFromAllMembersAndKeepsTheirNames(t *testing.T) {
	g := queue.NewSubscriberGroup(queue.GroupOptions{},
		member(newFakeQueue(bodies(t, "a", 2)...), "one"), member(newFakeQueue(bodies(t, "b", 2)...), "two"))
	var got []string
	for range 4 {
		r, err := g.Recv(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.Source.Name+" "+r.Message())
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"one a0", "one a1", "two b0", "two b1"}, got); diff != "" {
		t.Error(diff)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

func TestStoppingAGroupGivesOutAllThatWasAccepted(t *testing.T) {
	c := newCollector()
	g := queue.NewSubscriberGroup(queue.GroupOptions{Size: 10},
		member(newFakeQueue(bodies(t, "a", 500)...), "one"), member(newFakeQueue(bodies(t, "b", 500)...), "two"))
	g.Stop()
	if err := g.DispatchForever(bind(t, c)); err != nil {
		t.Fatal(err)
	}
	if got := len(c.all()); got != 1000 {
		t.Errorf("%d of 1000", got)
	}
	if _, err := g.Recv(t.Context()); !errors.Is(err, queue.ErrClosed) {
		t.Errorf("after the last: %v", err)
	}
	if err := g.Add(member(newFakeQueue(), "late")); !errors.Is(err, queue.ErrClosed) {
		t.Errorf("added after the stop: %v", err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

func TestABusyMemberDoesNotKeepTheOthersFromTheirTurns(t *testing.T) {
	c := newCollector()
	g := queue.NewSubscriberGroup(queue.GroupOptions{Size: 10}, member(newFakeQueue(bodies(t, "busy", 5000)...), "busy"))
	if _, err := g.Recv(t.Context()); err != nil { // the busy one is at work
		t.Fatal(err)
	}
	if err := g.Add(member(newFakeQueue(bodies(t, "rare", 5)...), "rare")); err != nil {
		t.Fatal(err)
	}
	stop := g.DispatchInBackground(core.Binding{Handler: c})
	c.await(t, 4999+5)
	if err := stop.Stop(); err != nil {
		t.Error(err)
	}
	all := c.all()
	last := slices.Index(all, "rare4")
	if last < 0 || last > 2500 {
		t.Errorf("the last record of the rare one was number %d of %d", last, len(all))
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

func TestAMemberCanBeRemovedWhileTheGroupRuns(t *testing.T) {
	qa, qb := newFakeQueue(bodies(t, "a", 10)...), newFakeQueue()
	a, b := member(qa, "a"), member(qb, "b")
	c := newCollector()
	g := queue.NewSubscriberGroup(queue.GroupOptions{}, a, b)
	stop := g.DispatchInBackground(core.Binding{Handler: c})
	c.await(t, 10)
	if !g.Remove(a) || g.Remove(a) {
		t.Error("a was there once")
	}
	qa.messages <- bodies(t, "later", 1)[0]
	qb.messages <- bodies(t, "b", 1)[0]
	c.await(t, 11)
	if err := errors.Join(stop.Stop(), g.Close()); err != nil {
		t.Error(err)
	}
	for _, text := range c.all() {
		if strings.HasPrefix(text, "later") {
			t.Errorf("%q came from a member that was removed", text)
		}
	}
	if r, err := a.Recv(t.Context()); err != nil || r.Message() != "later0" {
		t.Errorf("what was removed is not closed: %v, %v", r, err)
	}
	if got := b.Status().State; got != queue.StateClosed {
		t.Errorf("what was left is %q", got)
	}
	if err := g.Add(a); !errors.Is(err, queue.ErrClosed) {
		t.Error(err)
	}
}

func TestASubscriberIsInAGroupOnce(t *testing.T) {
	a := member(newFakeQueue(), "a")
	g := queue.NewSubscriberGroup(queue.GroupOptions{}, a)
	if err := g.Add(a); !errors.Is(err, queue.ErrMember) {
		t.Error(err)
	}
	if got := len(g.Members()); got != 1 {
		t.Errorf("%d members", got)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}
