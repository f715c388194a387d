package e2e

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// The well-known name of the notification daemon, which is also its interface, and its
// object.
const (
	notifications     = "org.freedesktop.Notifications"
	notificationsPath = dbus.ObjectPath("/org/freedesktop/Notifications")
)

// Notify is one call of org.freedesktop.Notifications.Notify, see
// https://specifications.freedesktop.org/notification-spec/latest/protocol.html.
type Notify struct {
	At       time.Time // when it was seen
	App      string
	Replaces uint32 // 0: a new notification
	Icon     string
	Title    string
	Body     string // as sent, markup and all
	Actions  []NotifyAction
	Hints    map[string]any
	Timeout  int32  // milliseconds; -1: the daemon's choice, 0: never
	ID       uint32 // what the daemon answered; 0 when it has not answered yet
}

// NotifyAction is what a user can choose in a notification.
type NotifyAction struct{ Key, Label string }

// Urgency returns the urgency hint: 0 low, 1 normal, 2 critical, -1 when there is none.
func (n Notify) Urgency() int {
	if u, ok := n.Hints["urgency"].(byte); ok {
		return int(u)
	}
	return -1
}

// NotificationLog is what was said on a bus about notifications since it was started,
// whoever the daemon is. Its methods may be called from several goroutines.
type NotificationLog struct {
	mu      sync.Mutex
	calls   []Notify
	waiting map[string]int // unanswered calls, index by sender and serial
	signals []NotifySignal
}

// NotifySignal is a signal of the daemon.
type NotifySignal struct {
	Name string // ActionInvoked or NotificationClosed
	ID   uint32
	// Detail is the key of the action, or the number of the reason: 1 expired,
	// 2 dismissed by the user, 3 closed by a call.
	Detail string
}

// StartNotificationLog starts to listen to all that is said about notifications.
func StartNotificationLog(t testing.TB, b *Bus) *NotificationLog {
	t.Helper()
	l := &NotificationLog{waiting: map[string]int{}}
	conn := b.Connect(t)
	rules := []string{
		"type='method_call',interface='" + notifications + "',member='Notify'",
		"type='signal',interface='" + notifications + "'",
		"type='method_return'",
		"type='error'",
	}
	// More than a test should ever see at once; what does not fit would be lost.
	messages := make(chan *dbus.Message, 8192)
	if err := conn.BusObject().CallWithContext(t.Context(), "org.freedesktop.DBus.Monitoring.BecomeMonitor", 0, rules, uint32(0)).Err; err != nil {
		t.Fatalf("listen to the session bus: %v", err)
	}
	conn.Eavesdrop(messages)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case m, ok := <-messages:
				if !ok {
					return
				}
				l.add(m)
			case <-stop:
				return
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-done
	})
	return l
}

func (l *NotificationLog) add(m *dbus.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	header := func(f dbus.HeaderField) string { s, _ := m.Headers[f].Value().(string); return s }
	switch m.Type {
	case dbus.TypeMethodCall:
		n := Notify{At: time.Now()}
		var actions []string
		var hints map[string]dbus.Variant
		if dbus.Store(m.Body, &n.App, &n.Replaces, &n.Icon, &n.Title, &n.Body, &actions, &hints, &n.Timeout) != nil {
			return // the daemon refuses it
		}
		n.Hints = make(map[string]any, len(hints))
		for key, v := range hints {
			n.Hints[key] = v.Value()
		}
		for pair := range slices.Chunk(actions, 2) {
			if len(pair) == 2 {
				n.Actions = append(n.Actions, NotifyAction{Key: pair[0], Label: pair[1]})
			}
		}
		l.waiting[callKey(header(dbus.FieldSender), m.Serial())] = len(l.calls)
		l.calls = append(l.calls, n)
	case dbus.TypeMethodReply, dbus.TypeError:
		serial, _ := m.Headers[dbus.FieldReplySerial].Value().(uint32)
		key := callKey(header(dbus.FieldDestination), serial)
		if i, ok := l.waiting[key]; ok {
			delete(l.waiting, key)
			_ = dbus.Store(m.Body, &l.calls[i].ID) // an error has no number
		}
	case dbus.TypeSignal:
		l.addSignal(header(dbus.FieldMember), m.Body)
	}
}

func (l *NotificationLog) addSignal(name string, body []any) {
	s := NotifySignal{Name: name}
	var reason uint32
	switch {
	case name == "ActionInvoked" && dbus.Store(body, &s.ID, &s.Detail) == nil:
	case name == "NotificationClosed" && dbus.Store(body, &s.ID, &reason) == nil:
		s.Detail = strconv.FormatUint(uint64(reason), 10)
	default:
		return
	}
	l.signals = append(l.signals, s)
}

func callKey(sender string, serial uint32) string {
	return sender + " " + strconv.FormatUint(uint64(serial), 10)
}

// Calls returns all calls of Notify so far, in their order.
func (l *NotificationLog) Calls() []Notify {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.calls)
}

// Signals returns all that the daemon signalled so far.
func (l *NotificationLog) Signals() []NotifySignal {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.signals)
}

// Wait waits for the first answered call that match accepts, and returns it.
func (l *NotificationLog) Wait(t testing.TB, what string, match func(Notify) bool) Notify {
	t.Helper()
	var found Notify
	Eventually(t, "a notification: "+what, func() bool {
		calls := l.Calls()
		i := slices.IndexFunc(calls, func(n Notify) bool { return n.ID != 0 && match(n) })
		if i >= 0 {
			found = calls[i]
		}
		return i >= 0
	})
	return found
}
