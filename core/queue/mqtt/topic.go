package mqtt

import (
	"errors"
	"strings"
)

// checkTopic returns why nothing can be published to a topic.
func checkTopic(topic string) error {
	switch {
	case strings.ContainsAny(topic, "+#"):
		return errors.New("there are wildcards in it")
	case strings.HasPrefix(topic, "$"):
		return errors.New("those that begin with $ belong to the broker")
	case topic == "" || !text(topic):
		return errors.New("it is no text, or too long")
	}
	return nil
}

// checkFilter returns why a filter cannot be subscribed to.
func checkFilter(filter string) error {
	if filter == "" || !text(filter) {
		return errors.New("it is no text, or too long")
	}
	levels := strings.Split(filter, "/")
	if levels[0] == "$share" {
		return errors.New("those who share the records are named by a group")
	}
	for i, level := range levels {
		switch {
		case level == "#" && i < len(levels)-1:
			return errors.New("# is not at its end")
		case len(level) > 1 && strings.ContainsAny(level, "+#"):
			return errors.New("+ and # stand alone between slashes")
		}
	}
	return nil
}

// matches reports whether a topic is one of those that a filter is for.
func matches(filter, topic string) bool {
	if strings.HasPrefix(topic, "$") != strings.HasPrefix(filter, "$") {
		return false // those of the broker have to be asked for
	}
	filters, levels := strings.Split(filter, "/"), strings.Split(topic, "/")
	for i, f := range filters {
		switch {
		case f == "#":
			return true
		case i == len(levels) || f != "+" && f != levels[i]:
			return false
		}
	}
	return len(filters) == len(levels)
}
