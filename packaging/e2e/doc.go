// Package e2e gives an end-to-end test a desktop of its own: a session bus, an X
// server with a window manager, a notification daemon and a tray, all real or, for
// the tray, as real as the protocol. Nothing of it touches the desktop of whoever
// runs the test, and all of it is gone when the test is over.
//
//	d := e2e.StartDesktop(t)
//	tray := e2e.StartTray(t, d.Bus)
//	app := d.Start(t, program)
//	tray.Item(t).Click(t, "Recent alerts", "payment declined")
//	d.Display.Screenshot(t, "context")
//
// Every function that takes a [testing.TB] ends the test with a message when it
// cannot do its job. The programs it starts are the packages of
// "packaging/setup test"; on systems other than Linux the test is skipped.
//
// It knows the desktop's protocols and nothing of logbook-tray, apart from where its
// sources are.
package e2e
