package services

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Patience is how long a broker may take to start, and what talks to one to do
// something that it does at once. It is long because the machine may be busy with other
// tests.
const Patience = 90 * time.Second

// Broker is a broker that runs until its tests are over.
type Broker struct {
	// Port is where it listens on 127.0.0.1.
	Port int
	// Dir is where it keeps everything.
	Dir string

	launch func() (*process, error)
	ready  func(ctx context.Context) error

	mu      sync.Mutex
	process *process // nil when it does not run
}

// Addr returns the address: host and port.
func (b *Broker) Addr() string { return address(b.Port) }

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// Kill ends the broker as a crash does, and waits for its end.
func (b *Broker) Kill() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.process != nil {
		b.process.kill()
		b.process = nil
	}
}

// Stop ends the broker as the system does when it shuts down, and waits for its end.
func (b *Broker) Stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.process != nil {
		b.process.stop()
		b.process = nil
	}
}

// Restart starts the broker again, at the same port, with what it had written to its
// directory, and waits until it is ready. It ends the test when the broker does not
// start.
func (b *Broker) Restart(t testing.TB) {
	t.Helper()
	if err := b.start(); err != nil {
		t.Fatal(err)
	}
}

// start starts the broker, if it does not run, and waits until it is ready.
func (b *Broker) start() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.process != nil {
		return nil
	}
	p, err := b.launch()
	if err != nil {
		return err
	}
	if err := p.await(b.ready); err != nil {
		p.kill()
		return err
	}
	b.process = p
	return nil
}

// process is a program that belongs to this one.
type process struct {
	name string
	cmd  *exec.Cmd
	out  bytes.Buffer  // to be read when done is closed
	done chan struct{} // closed when it has ended
}

// launch starts packaging/services/run.
func launch(args ...string) (*process, error) {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return nil, errors.New("the place of the sources is unknown")
	}
	p := &process{name: args[0], done: make(chan struct{})}
	p.cmd = exec.Command(filepath.Join(filepath.Dir(file), "run"), args...) //nolint:noctx // it is ended by kill
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.WaitDelay = 10 * time.Second // a helper of the broker must not hold us up
	p.cmd.SysProcAttr = own()
	started := make(chan error)
	go func() {
		// The kernel ends the broker when the thread ends that started it: this one
		// stays, so that the broker ends with the program, however that ends.
		runtime.LockOSThread()
		defer close(p.done)
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // it was killed
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	return p, nil
}

// kill ends the program with all of its group and waits for it.
func (p *process) kill() {
	killGroup(p.cmd.Process.Pid)
	<-p.done
}

// stop asks the program to end, and waits for it.
func (p *process) stop() {
	if p.cmd.Process.Signal(syscall.SIGTERM) == nil {
		select {
		case <-p.done:
			return
		case <-time.After(Patience):
		}
	}
	p.kill()
}

// await waits until ready has no error.
func (p *process) await(ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s has ended: %w: %s", p.name, errEnded, p.out.String())
		case <-ctx.Done():
			return fmt.Errorf("%s does not start within %v: %w", p.name, Patience, err)
		case <-again.C:
		}
	}
}

// errEnded says that a broker did not start; another port may help.
var errEnded = errors.New("it did not start")

// attempts is how many ports are tried.
const attempts = 5

// freePorts returns the first of n ports in a row that nobody uses now. They are below
// those that the kernel hands out, so that they stay free while a broker restarts.
func freePorts(n int) (int, error) {
	var config net.ListenConfig
	for range 1000 {
		port := 15000 + rand.IntN(16000)
		free := true
		for i := range n {
			l, err := config.Listen(context.Background(), "tcp", address(port+i))
			if err != nil {
				free = false
				break
			}
			_ = l.Close()
		}
		if free {
			return port, nil
		}
	}
	return 0, errors.New("no port is free")
}

// ask sends a request and returns the first size bytes of the answer.
func ask(ctx context.Context, port int, request string, size int) (string, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address(port))
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(c, request); err != nil {
		return "", err
	}
	answer := make([]byte, size)
	_, err = io.ReadFull(c, answer)
	return string(answer), err
}

// found skips the test on systems without these brokers, and ends it when a program is
// not installed.
func found(t testing.TB, program string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the brokers are those of Debian")
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("%v; run: packaging/setup test", err)
	}
}
