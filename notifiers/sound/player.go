package sound

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/logbook-tray/logbook-tray/core/display"
)

// playTime bounds the time that one sound may take.
const playTime = 10 * time.Second

// ErrNoPlayer is returned by [New] on a system without a known player.
var ErrNoPlayer = errors.New("no program to play sounds with")

// programs lists the players of a system, the best first. Each takes the path of a file
// as its last argument.
func programs(system string) [][]string {
	if system == "darwin" {
		return [][]string{{"afplay"}}
	}
	return [][]string{
		{"pw-play"}, {"paplay"}, {"canberra-gtk-play", "-f"}, {"aplay", "-q"}, {"play", "-q"},
	}
}

// players plays through the first of several programs that works.
type players struct {
	commands [][]string // that are installed
}

func find(system string, look func(string) (string, error)) (*players, error) {
	p := new(players)
	for _, c := range programs(system) {
		if path, err := look(c[0]); err == nil {
			p.commands = append(p.commands, append([]string{path}, c[1:]...))
		}
	}
	if len(p.commands) > 0 {
		return p, nil
	}
	if system == "darwin" {
		return nil, fmt.Errorf("sound: %w: the one of the system is missing", ErrNoPlayer)
	}
	return nil, fmt.Errorf("sound: %w: install pipewire-bin, pulseaudio-utils or alsa-utils", ErrNoPlayer)
}

// play plays a file. A program may be installed whose server does not run, so that the
// next one is tried; the one that worked is the first the next time.
func (p *players) play(ctx context.Context, path string) error {
	var errs []error
	for i, c := range p.commands {
		cmd := exec.CommandContext(ctx, c[0], append(c[1:len(c):len(c)], path)...) //nolint:gosec // one of find's
		cmd.WaitDelay = time.Second
		out, err := cmd.CombinedOutput()
		if err == nil || ctx.Err() != nil {
			p.commands[0], p.commands[i] = p.commands[i], p.commands[0]
			return ctx.Err()
		}
		errs = append(errs, fmt.Errorf("play with %s: %w: %s", c[0], err, display.Line(string(out), 100)))
	}
	return errors.Join(errs...)
}
