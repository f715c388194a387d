package pipeline

import (
	"fmt"
	"sync"
)

// Pool holds values that several users share, such as an open file or a
// connection: the first use opens it, the last release closes it. A value whose
// new user comes before the old one goes, as in a reload, thus stays as it is.
//
// All functions on it are safe for concurrent use.
type Pool struct {
	mu      sync.Mutex
	entries map[string]*pooled
}

type pooled struct {
	users  int           // guarded by Pool.mu
	opened chan struct{} // closed when value, shut and err are set
	value  any
	shut   func() error
	err    error
	gone   chan struct{} // closed when it is closed
}

// NewPool returns an empty pool.
func NewPool() *Pool { return &Pool{entries: map[string]*pooled{}} }

// Use returns the value under key, which open makes if there is none. Keys say
// what kind of thing they name: "file:/var/log/dev.log". A key whose value
// is of another type is an error. release gives the value back and returns the
// error of closing it, if that was the last use; further calls do nothing.
func Use[V any](p *Pool, key string, open func() (value V, closeValue func() error, err error)) (value V, release func() error, err error) {
	e := p.enter(key)
	if e.first {
		v, shut, err := open()
		e.value, e.shut, e.err = v, shut, err
		close(e.opened)
	}
	<-e.opened
	if e.err != nil {
		_ = p.leave(key, e.pooled) // there is nothing to close
		return value, nil, e.err
	}
	value, ok := e.value.(V)
	if !ok {
		_ = p.leave(key, e.pooled) // somebody else still uses it
		return value, nil, fmt.Errorf("resource %q is a %T, not a %T", key, e.value, value)
	}
	var once sync.Once
	return value, func() (err error) {
		once.Do(func() { err = p.leave(key, e.pooled) })
		return err
	}, nil
}

type entered struct {
	*pooled
	first bool
}

// enter counts a user of key. One that is just being closed is waited for: a
// port can be bound again only then.
func (p *Pool) enter(key string) entered {
	for {
		p.mu.Lock()
		e := p.entries[key]
		switch {
		case e == nil:
			e = &pooled{users: 1, opened: make(chan struct{}), gone: make(chan struct{})}
			p.entries[key] = e
			p.mu.Unlock()
			return entered{e, true}
		case e.users > 0:
			e.users++
			p.mu.Unlock()
			return entered{e, false}
		}
		p.mu.Unlock()
		<-e.gone
	}
}

func (p *Pool) leave(key string, e *pooled) error {
	p.mu.Lock()
	e.users--
	last := e.users == 0
	p.mu.Unlock()
	if !last {
		return nil
	}
	var err error
	if e.err == nil && e.shut != nil {
		err = e.shut()
	}
	p.mu.Lock()
	delete(p.entries, key)
	p.mu.Unlock()
	close(e.gone)
	return err
}
