package wire

// member is one of a record of Logbook.
type member uint8

const (
	memberNone member = iota // none that Logbook knows
	memberChannel
	memberLevel
	memberMsg
	memberMessage
	memberTime
	memberArgs
	memberKwargs
	memberExtra
	memberHeavyInitialized
	memberInformationPulled
	memberProcess
	memberProcessName
	memberThread
	memberThreadName
	memberGreenlet
	memberFilename
	memberLineno
	memberFuncName
	memberModule
	memberFrameCorrection
	memberExceptionName
	memberExceptionMessage
	memberFormattedException
	memberForeign // only records of the logging package have it
)

// foreignNames are the names of memberForeign.
var foreignNames = [...]string{"levelno", "levelname"} //nolint:gochecknoglobals // a table, never changed

var memberNames = [...]string{ //nolint:gochecknoglobals // a table, never changed
	memberChannel: "channel", memberLevel: "level", memberMsg: "msg", memberMessage: "message", memberTime: "time",
	memberArgs: "args", memberKwargs: "kwargs", memberExtra: "extra", memberHeavyInitialized: "heavy_initialized",
	memberInformationPulled: "information_pulled", memberProcess: "process", memberProcessName: "process_name",
	memberThread: "thread", memberThreadName: "thread_name", memberGreenlet: "greenlet", memberFilename: "filename",
	memberLineno: "lineno", memberFuncName: "func_name", memberModule: "module", memberFrameCorrection: "frame_correction",
	memberExceptionName: "exception_name", memberExceptionMessage: "exception_message",
	memberFormattedException: "formatted_exception",
}

// memberOf returns the member of this name.
func memberOf(name string) member {
	for m := memberChannel; m < memberForeign; m++ {
		if memberNames[m] == name {
			return m
		}
	}
	for _, foreign := range foreignNames {
		if foreign == name {
			return memberForeign
		}
	}
	return memberNone
}

// spelledMember is a member as its name stands in JSON, from the first letter to the colon.
type spelledMember struct {
	spelling
	member member
	next   uint8 // the index of another one with the same first letters, 0 for none
}

// memberTable finds a member by the first four letters of its name in JSON, with the quote if there are
// only three. What this finds for each record more than twenty times takes a third of the time that
// cutting the name out and comparing it takes.
type memberTable struct {
	first   [1 << memberBits]uint8
	spelled [1 << 5]spelledMember // from 1 on
}

// memberBits and memberFactor are such that no two members with other first letters share a place.
const (
	memberBits   = 6
	memberFactor = 0x662d6089
)

func memberPlace(name beginning) uint32 {
	return uint32(name.first) * memberFactor >> (32 - memberBits) //nolint:gosec // the first four letters
}

var members = makeMembers() //nolint:gochecknoglobals // a table, never changed

func makeMembers() memberTable {
	var t memberTable
	n := uint8(0)
	add := func(m member, name string) {
		s := spell(name + `":`)
		at := &t.first[memberPlace(s.text)]
		n++
		t.spelled[n] = spelledMember{s, m, *at}
		*at = n
	}
	for m := memberChannel; m < memberForeign; m++ {
		add(m, memberNames[m])
	}
	for _, name := range foreignNames {
		add(memberForeign, name)
	}
	return t
}

// knownMember steps over the name of a member that Logbook knows, and its colon, and stands on its value.
// It finds only what is spelled as usual, and else does not move: the scanner stands on the quote of a name,
// or on something that is wrong.
func (p *scanner) knownMember() member {
	d := p.data[p.i:]
	if len(d) <= spellingSize || d[0] != '"' {
		return memberNone
	}
	name := begin(d[1:])
	for at := members.first[memberPlace(name)]; at != 0; {
		m := &members.spelled[at%uint8(len(members.spelled))]
		if m.starts(name) {
			p.i += 1 + m.size
			p.space()
			return m.member
		}
		at = m.next
	}
	return memberNone
}
