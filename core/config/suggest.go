package config

import (
	"fmt"
	"slices"
	"strings"
)

// Nearest returns the candidate that is most like word, if one is like it
// enough to be what was meant: at most 1 + a third of its length away.
func Nearest(word string, candidates []string) (string, bool) {
	folded := strings.ToLower(strings.ReplaceAll(word, "-", "_"))
	best, bestDistance := "", 1+len([]rune(word))/3+1
	for _, c := range candidates {
		if d := distance(folded, strings.ToLower(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best, best != ""
}

// didYouMean is the hint for a word that is none of the candidates: the
// nearest, or all of them if they are few.
func didYouMean(word string, candidates []string) string {
	if c, ok := Nearest(word, candidates); ok {
		return fmt.Sprintf("did you mean %q?", c)
	}
	return oneOf(candidates)
}

// maxListed is how many candidates a hint lists.
const maxListed = 16

func oneOf(candidates []string) string {
	if len(candidates) == 0 || len(candidates) > maxListed {
		return ""
	}
	sorted := slices.Clone(candidates)
	slices.Sort(sorted)
	return "one of " + strings.Join(slices.Compact(sorted), ", ")
}

// distance is the optimal string alignment distance: how many characters have
// to be inserted, deleted, replaced or swapped with their neighbour.
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, previous, current := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(s); i++ {
		current[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			current[j] = min(previous[j]+1, current[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
		before, previous, current = previous, current, before
	}
	return previous[len(t)]
}
