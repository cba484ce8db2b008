package cardtest

import (
	"bytes"
	"crypto"
	"slices"
)

type status uint16

// Status words, card.md 1.6.
const (
	swOK              status = 0x9000
	swMoreData        status = 0x6100
	swEndOfFile       status = 0x6282
	swTriesLeft       status = 0x63C0
	swWrongLength     status = 0x6700
	swChainExpected   status = 0x6883
	swWrongFile       status = 0x6981
	swNotVerified     status = 0x6982
	swBlocked         status = 0x6984
	swNoConditions    status = 0x6985
	swNoCurrentFile   status = 0x6986
	swWrongData       status = 0x6A80
	swNotFound        status = 0x6A82
	swWrongParameters status = 0x6A86
	swNoReference     status = 0x6A88
	swOffset          status = 0x6B00
	swUnknownINS      status = 0x6D00
	swUnknownCLA      status = 0x6E00
	swInternal        status = 0x6F00
)

type answer struct {
	data   []byte
	status status
}

func only(s status) answer { return answer{status: s} }

// session is what a reset clears.
type session struct {
	app      *application
	file     *file
	verified map[*counter]bool
	chain    *command // the parts so far of a chained command
	pending  []byte   // waits for GET RESPONSE
}

// command is a decoded short APDU. length is Le: 0 = absent, 256 for the byte 00.
type command struct {
	cla, ins, p1, p2 byte
	data             []byte
	length           int
}

const chained = 0x10 // the CLA bit of all but the last part

// decode knows short APDUs only; extended ones begin with a zero Lc and are a wrong length here.
func decode(raw []byte) (command, bool) {
	if len(raw) < 4 {
		return command{}, false
	}
	c := command{cla: raw[0], ins: raw[1], p1: raw[2], p2: raw[3]}
	body := raw[4:]
	if len(body) <= 1 {
		c.length = expected(body)
		return c, true
	}
	n := int(body[0])
	if n == 0 || len(body) < 1+n || len(body) > 2+n {
		return c, false
	}
	c.data, c.length = slices.Clone(body[1:1+n]), expected(body[1+n:])
	return c, true
}

func expected(le []byte) int {
	if len(le) == 0 {
		return 0
	}
	return (int(le[0])+255)%256 + 1
}

func (s *session) answer(c *Card, raw []byte) answer {
	cmd, ok := decode(raw)
	switch {
	case !ok:
		return only(swWrongLength)
	case cmd.cla&^chained != 0x00 && cmd.cla&^chained != 0x80:
		return only(swUnknownCLA)
	}
	cmd, more := s.collect(cmd)
	if more.status != swOK || cmd.cla&chained != 0 {
		return more
	}
	pending := s.pending
	s.pending = nil
	switch [2]byte{cmd.cla, cmd.ins} {
	case [2]byte{0x00, 0xA4}:
		return only(s.selectBy(c, cmd))
	case [2]byte{0x00, 0xB0}:
		return s.readBinary(c, cmd)
	case [2]byte{0x00, 0x20}:
		return only(s.verify(c, cmd))
	case [2]byte{0x00, 0xC0}:
		return s.getResponse(cmd, pending)
	case [2]byte{0x80, 0x2A}:
		return s.sign(c, cmd)
	}
	return only(swUnknownINS)
}

// collect joins chained parts (ISO/IEC 7816-4 5.3.3). Another command inside a chain ends it with an error.
func (s *session) collect(cmd command) (command, answer) {
	last := cmd
	last.cla &^= chained
	if s.chain != nil {
		started := *s.chain
		s.chain = nil
		if [4]byte{started.cla, started.ins, started.p1, started.p2} != [4]byte{last.cla, last.ins, last.p1, last.p2} {
			return cmd, only(swChainExpected)
		}
		last.data = append(started.data, last.data...)
	}
	if cmd.cla&chained == 0 {
		return last, only(swOK)
	}
	if len(last.data) > 1024 {
		return cmd, only(swWrongLength)
	}
	s.chain = &last
	return cmd, only(swOK)
}

func (s *session) selectBy(c *Card, cmd command) status {
	switch {
	case cmd.p1 == 0x04:
		return s.selectApplication(c, cmd.data)
	case cmd.p1 == 0x02 && len(cmd.data) != 2:
		return swWrongLength
	case cmd.p1 == 0x02:
		return s.selectFile(c, uint16(cmd.data[0])<<8|uint16(cmd.data[1]))
	case cmd.p1 == 0x00 && len(cmd.data) != 0:
		return swNotFound
	case cmd.p1 == 0x00 && s.app != nil:
		return swOK // SELECT MF "succeeds" and changes nothing
	}
	return swWrongParameters
}

// selectApplication takes a prefix for the first application that fits. Verified PINs live in their
// application: selecting another one drops them, selecting the same one again does not.
func (s *session) selectApplication(c *Card, name []byte) status {
	i := slices.IndexFunc(c.applications, func(a *application) bool { return bytes.HasPrefix(a.id, name) })
	if i < 0 || len(name) == 0 {
		return swNotFound
	}
	app := c.applications[i]
	c.touched = c.touched || app.alarmed
	if s.app != app {
		s.verified = map[*counter]bool{}
	}
	s.app, s.file = app, nil
	return swOK
}

// selectFile leaves the current file current when there is no such file.
func (s *session) selectFile(c *Card, id uint16) status {
	if s.app == nil || s.app.files[id] == nil {
		return swNotFound
	}
	s.file = s.app.files[id]
	c.touched = c.touched || s.file.alarmed
	return swOK
}

// selectShort follows a short file id in a parameter, if there is one.
func (s *session) selectShort(c *Card, parameter byte) status {
	if parameter&0x60 != 0 {
		return swWrongParameters
	}
	if parameter&0x1F == 0 {
		return swOK
	}
	return s.selectFile(c, uint16(parameter&0x1F))
}

func (s *session) isOpen(f *file) bool {
	return len(f.opens) == 0 || slices.ContainsFunc(f.opens, func(c *counter) bool { return s.verified[c] })
}

func (s *session) readBinary(c *Card, cmd command) answer {
	if len(cmd.data) != 0 || cmd.length == 0 {
		return only(swWrongLength)
	}
	offset := int(cmd.p1)<<8 | int(cmd.p2)
	if cmd.p1&0x80 != 0 {
		if sw := s.selectShort(c, cmd.p1&0x7F); sw != swOK {
			return only(sw)
		}
		offset = int(cmd.p2)
	}
	switch {
	case s.file == nil:
		return only(swNoCurrentFile)
	case s.file.data == nil:
		return only(swWrongFile)
	case !s.isOpen(s.file):
		return only(swNotVerified)
	case offset >= len(s.file.data):
		return only(swOffset)
	}
	rest := s.file.data[offset:]
	if len(rest) < cmd.length {
		return answer{slices.Clone(rest), swEndOfFile}
	}
	return answer{slices.Clone(rest[:cmd.length]), swOK}
}

// verify without data asks for the counter; T=0 readers put a zero byte behind it, which decodes as Le.
func (s *session) verify(c *Card, cmd command) status {
	switch {
	case cmd.p1 != 0x00:
		return swWrongParameters
	case cmd.p2&0x80 == 0:
		return swNoReference
	}
	if sw := s.selectShort(c, cmd.p2&0x7F); sw != swOK {
		return swNoReference
	}
	switch {
	case s.file == nil:
		return swNoCurrentFile
	case s.file.secret == nil:
		return swWrongFile
	case len(cmd.data) == 0:
		return s.file.secret.query()
	case len(cmd.data) > 16 || cmd.length != 0:
		return swWrongLength
	}
	sw := s.file.secret.try(cmd.data)
	s.verified[s.file.secret] = sw == swOK
	return sw
}

// sign pads any 1 to 245 bytes (P1=00): what may be signed is the business of those who ask.
// Without Le, as T=0 readers send it, the signature waits for GET RESPONSE.
func (s *session) sign(c *Card, cmd command) answer {
	switch {
	case cmd.p1 != 0x00:
		return only(swWrongParameters)
	case cmd.p2&0x80 == 0 || s.selectShort(c, cmd.p2&0x7F) != swOK:
		return only(swNoReference)
	case s.file == nil:
		return only(swNoCurrentFile)
	case s.file.key == nil:
		return only(swWrongFile)
	case !s.isOpen(s.file):
		return only(swNotVerified)
	case len(cmd.data) == 0:
		return only(swWrongLength)
	case len(cmd.data) > 245:
		return only(swWrongData)
	}
	signature, err := s.file.key.Sign(nil, cmd.data, crypto.Hash(0)) // PKCS#1 v1.5 needs no randomness
	if err != nil {
		return only(swInternal)
	}
	if cmd.length == 0 {
		s.pending = signature
		return only(waiting(signature))
	}
	return answer{signature, swOK}
}

func (s *session) getResponse(cmd command, pending []byte) answer {
	if len(pending) == 0 {
		return only(swNoConditions)
	}
	n := min(max(cmd.length, 1), len(pending))
	s.pending = pending[n:]
	if len(s.pending) == 0 {
		return answer{slices.Clone(pending[:n]), swOK}
	}
	return answer{slices.Clone(pending[:n]), waiting(s.pending)}
}

// waiting is 61xx; 6100 stands for 256 bytes and more.
func waiting(data []byte) status {
	if len(data) > 255 {
		return swMoreData
	}
	return swMoreData | status(len(data))
}
