package libnotify

// recall takes up what was on the screen when the program ended, if the service is
// still the same one.
func (n *Notifier) recall(s *service) {
	if n.opts.Memory == nil {
		return
	}
	n.memory.Lock()
	defer n.memory.Unlock()
	service, numbers, err := n.opts.Memory.LoadShown()
	if err != nil || service != s.identity {
		return // a click on an old notification does nothing then
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, number := range numbers {
		if n.shown.number(id) == 0 && n.shown.find(number) == nil {
			n.shown.add(id, number)
		}
	}
}

// remember keeps what is on the screen for a later run.
func (n *Notifier) remember() {
	if n.opts.Memory == nil {
		return
	}
	n.memory.Lock()
	defer n.memory.Unlock()
	n.mu.Lock()
	s, numbers := n.service, n.shown.numbers()
	n.mu.Unlock()
	if s == nil {
		return
	}
	_ = n.opts.Memory.SaveShown(s.identity, numbers) // costs a click after a restart, no more
}
