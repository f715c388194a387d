package libnotify

import (
	"context"
	"fmt"
	"strings"

	"github.com/godbus/dbus/v5"
)

const (
	busName    = "org.freedesktop.Notifications"
	busPath    = dbus.ObjectPath("/org/freedesktop/Notifications")
	busPrefix  = busName + "."
	ownerEvent = "org.freedesktop.DBus.NameOwnerChanged"
)

// link is one connection to the bus. Its goroutine reads the signals and ends with
// the connection.
type link struct {
	conn   *dbus.Conn
	object dbus.BusObject
	done   chan struct{}
}

// dial connects, within ctx, and has handle called with each signal.
func dial(ctx context.Context, address string, handle func(*link, *dbus.Signal)) (*link, error) {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel) // ends a handshake that takes too long
	l, err := dialBus(ctx, address, dbus.WithContext(life), dbus.WithSignalHandler(dbus.NewSequentialSignalHandler()))
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		cancel()
		return nil, err
	}
	signals := make(chan *dbus.Signal, 16)
	l.conn.Signal(signals)
	go func() {
		defer close(l.done)
		defer cancel()
		for s := range signals {
			handle(l, s)
		}
	}()
	return l, nil
}

func dialBus(ctx context.Context, address string, opts ...dbus.ConnOption) (*link, error) {
	var conn *dbus.Conn
	var err error
	if address != "" {
		conn, err = dbus.Dial(address, opts...)
	} else {
		// Not ConnectSessionBus, which would start a bus that nobody else is on.
		conn, err = dbus.SessionBusPrivateNoAutoStartup(opts...)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrNoBus, reason(err))
	}
	l := &link{conn: conn, object: conn.Object(busName, busPath), done: make(chan struct{})}
	if err := l.handshake(ctx); err != nil {
		_ = conn.Close() // never used
		return nil, fmt.Errorf("%w: %s", ErrNoBus, reason(err))
	}
	return l, nil
}

// reason says why there is no bus, without the name of the library.
func reason(err error) string {
	text := strings.TrimPrefix(err.Error(), "dbus: ")
	if strings.HasPrefix(text, "couldn't determine address") {
		return "DBUS_SESSION_BUS_ADDRESS is not set, and the user's runtime directory has no bus"
	}
	return text
}

func (l *link) handshake(ctx context.Context) error {
	if err := l.conn.Auth(nil); err != nil {
		return fmt.Errorf("authenticate: %w", err)
	}
	if err := l.conn.Hello(); err != nil {
		return fmt.Errorf("greet the bus: %w", err)
	}
	err := l.conn.AddMatchSignalContext(ctx, dbus.WithMatchSender(busName), dbus.WithMatchInterface(busName), dbus.WithMatchObjectPath(busPath))
	if err != nil {
		return fmt.Errorf("subscribe to signals: %w", err)
	}
	err = l.conn.AddMatchSignalContext(ctx, dbus.WithMatchSender("org.freedesktop.DBus"),
		dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, busName))
	if err != nil {
		return fmt.Errorf("subscribe to signals: %w", err)
	}
	return nil
}

func (l *link) alive() bool { return l.conn.Connected() }

// close ends the connection and waits for its goroutine.
func (l *link) close() error {
	err := l.conn.Close()
	<-l.done
	return err
}

// identity names the service that is running now: no other one, on this bus or
// another, is ever called so.
func (l *link) identity(ctx context.Context) (string, error) {
	var bus, owner string
	if err := l.conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetId", 0).Store(&bus); err != nil {
		return "", fmt.Errorf("ask for the name of the bus: %w", explain(err))
	}
	if err := l.conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetNameOwner", 0, busName).Store(&owner); err != nil {
		return "", explain(err)
	}
	return bus + owner, nil
}

// service asks what the notification service is and can do.
func (l *link) service(ctx context.Context) (*service, error) {
	s := new(service)
	if err := l.object.CallWithContext(ctx, busPrefix+"GetCapabilities", 0).Store(&s.capabilities); err != nil {
		return nil, fmt.Errorf("ask for capabilities: %w", explain(err))
	}
	var name, vendor, version, spec string
	// The name is for the status only.
	if err := l.object.CallWithContext(ctx, busPrefix+"GetServerInformation", 0).Store(&name, &vendor, &version, &spec); err == nil {
		s.name = name + " " + version
	}
	var err error
	if s.identity, err = l.identity(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func (l *link) notify(ctx context.Context, m *message) (number uint32, err error) {
	call := l.object.CallWithContext(ctx, busPrefix+"Notify", 0,
		m.appName, m.replace, m.icon, m.summary, m.body, m.actions, m.hints, m.expires)
	if err := call.Store(&number); err != nil {
		return 0, explain(err)
	}
	return number, nil
}

func (l *link) closeNotification(ctx context.Context, number uint32) error {
	return explain(l.object.CallWithContext(ctx, busPrefix+"CloseNotification", 0, number).Err)
}

// closeLater takes a notification off the screen without waiting for it.
func (l *link) closeLater(number uint32) {
	l.object.Go(busPrefix+"CloseNotification", dbus.FlagNoReplyExpected, nil, number)
}

// explain says what the errors of the bus mean.
func explain(err error) error {
	switch name := errorName(err); name {
	case "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner":
		return fmt.Errorf("%w: nothing owns %s", ErrNoService, busName)
	case "":
		return err
	default:
		return fmt.Errorf("%s: %w", strings.TrimPrefix(name, "org.freedesktop."), err)
	}
}
