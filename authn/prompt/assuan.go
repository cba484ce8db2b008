package prompt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"tegata/authn/fail"
)

// maxLine is the longest line of the Assuan protocol, with its line feed; maxSecret the longest entry we look at.
const (
	maxLine   = 1000
	maxSecret = 256
)

// Codes of libgpg-error that pinentry ends with, in the low sixteen bits of an ERR line.
const (
	gpgTimeout      = 62
	gpgCancelled    = 99
	gpgNotConfirmed = 114
	gpgFullyCancel  = 198
)

var (
	errNotConfirmed = errors.New("pinentry: not confirmed")
	errAssuan       = errors.New("pinentry: answers what is not in its protocol")
)

// conversation speaks the client's half of Assuan: a command line, then data and status lines until OK or ERR.
// An entry passes through buf alone, which wipe clears.
type conversation struct {
	in         io.Writer
	out        io.Reader
	buf        [4 * maxLine]byte
	start, end int
}

func (c *conversation) wipe() { clear(c.buf[:]) }

// line returns the next line without its line feed; it is valid until the next call.
func (c *conversation) line() ([]byte, error) {
	for {
		if i := bytes.IndexByte(c.buf[c.start:c.end], '\n'); i >= 0 {
			line := c.buf[c.start : c.start+i]
			c.start += i + 1
			return bytes.TrimSuffix(line, []byte("\r")), nil
		}
		c.end = copy(c.buf[:], c.buf[c.start:c.end])
		c.start = 0
		if c.end == len(c.buf) {
			return nil, errAssuan
		}
		n, err := c.out.Read(c.buf[c.end:])
		c.end += n
		if n == 0 && err != nil {
			return nil, fmt.Errorf("pinentry went away: %w", err)
		}
	}
}

// greet reads the line that a server opens with.
func (c *conversation) greet() error { return c.answer(nil) }

// do sends one command. Its argument is escaped, so that foreign text stays one argument of one line.
func (c *conversation) do(command, argument string, data *[]byte) error {
	line := command
	if argument != "" {
		line += " " + escape(argument)
	}
	if len(line)+1 > maxLine || strings.ContainsAny(line, "\r\n") {
		return errAssuan
	}
	if _, err := io.WriteString(c.in, line+"\n"); err != nil {
		return fmt.Errorf("pinentry went away: %w", err)
	}
	return c.answer(data)
}

func (c *conversation) answer(data *[]byte) error {
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		word, rest, _ := bytes.Cut(line, []byte(" "))
		switch string(word) {
		case "OK":
			return nil
		case "ERR":
			return refusal(string(rest))
		case "D":
			if data == nil {
				return errAssuan
			}
			if err := unescape(data, rest); err != nil {
				return err
			}
		case "S", "#", "":
		default:
			if !bytes.HasPrefix(line, []byte("#")) {
				return errAssuan // an INQUIRE: we offer nothing to ask back for
			}
		}
	}
}

// refusal reads the number of an ERR line; its text is for people who read the wire.
func refusal(rest string) error {
	number, _, _ := strings.Cut(rest, " ")
	code, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return errAssuan
	}
	switch code & 0xFFFF {
	case gpgCancelled, gpgFullyCancel:
		return fail.UserCancelled
	case gpgNotConfirmed:
		return errNotConfirmed
	case gpgTimeout:
		return fail.LoginExpired
	}
	return fmt.Errorf("pinentry: error %d", code)
}

// escape writes what would end a line, and the escape itself, as %XX.
func escape(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", "\x00", "%00").Replace(text)
}

// unescape appends the bytes of a data line. The slice must have room: growing would leave a copy of the entry behind.
func unescape(into *[]byte, line []byte) error {
	for i := 0; i < len(line); i++ {
		b := line[i]
		if b == '%' {
			if i+2 >= len(line) {
				return errAssuan
			}
			high, okHigh := fromHex(line[i+1])
			low, okLow := fromHex(line[i+2])
			if !okHigh || !okLow {
				return errAssuan
			}
			b, i = high<<4|low, i+2
		}
		if len(*into) == cap(*into) {
			return errAssuan
		}
		*into = append(*into, b)
	}
	return nil
}

func fromHex(b byte) (byte, bool) {
	switch {
	case '0' <= b && b <= '9':
		return b - '0', true
	case 'a' <= b && b <= 'f':
		return b - 'a' + 10, true
	case 'A' <= b && b <= 'F':
		return b - 'A' + 10, true
	}
	return 0, false
}
