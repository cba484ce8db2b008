package card

import (
	"bytes"
	"context"
	"errors"

	"tegata/authn/fail"
)

const (
	maxChunk  = 255    // every reader can carry 255 bytes and a status word in a short answer
	maxOffset = 0x7FFF // bit 15 of the offset means "short file id"
)

var (
	errEndOfFile  = errors.New("the file ends too early")
	errNoData     = errors.New("success without data")
	errTooMuch    = errors.New("more data than asked for")
	errTooLarge   = errors.New("the object is larger than a card file")
	errBlank      = errors.New("the file holds no such object")
	errLengthForm = errors.New("a length in a form that cards do not use")
)

// readRange reads exactly n bytes of the selected file. Cards may answer with fewer bytes than
// asked for; every round asks for the rest and must make progress.
func (c *Card) readRange(ctx context.Context, from, n int) ([]byte, error) {
	if from+n > maxOffset+1 {
		return nil, fail.CardDataBroken.Because(errTooLarge)
	}
	data := make([]byte, 0, n)
	for len(data) < n {
		chunk, err := c.readChunk(ctx, from+len(data), min(n-len(data), maxChunk))
		if err != nil {
			return nil, err
		}
		data = append(data, chunk...)
	}
	return data, nil
}

// readChunk is one READ BINARY: between 1 and want bytes, or an error.
func (c *Card) readChunk(ctx context.Context, offset, want int) ([]byte, error) {
	a, err := exchange(ctx, c.transport, []byte{0x00, 0xB0, byte(offset >> 8), byte(offset), byte(want)})
	switch {
	case err != nil:
		return nil, err
	case a.status == statusOffsetTooLarge, a.status == statusEndOfFile && len(a.data) == 0:
		return nil, fail.CardDataBroken.Because(errEndOfFile)
	case a.status != statusOK && a.status != statusEndOfFile:
		return nil, a.refusal()
	case len(a.data) == 0:
		return nil, fail.CardDataBroken.Because(errNoData)
	case len(a.data) > want:
		return nil, fail.CardDataBroken.Because(errTooMuch)
	}
	return a.data, nil
}

// readObject reads the one DER or BER-TLV object at the start of a file, and none of the filler
// behind it. A file that is empty or begins otherwise carries errBlank as its cause.
func (c *Card) readObject(ctx context.Context, app application, file uint16, tag ...byte) ([]byte, error) {
	if err := c.selectFile(ctx, app, file); err != nil {
		return nil, err
	}
	head, err := c.readRange(ctx, 0, len(tag)+maxLengthBytes)
	if errors.Is(err, errEndOfFile) {
		return nil, fail.CardDataBroken.Because(errBlank)
	}
	if err != nil {
		return nil, err
	}
	size, err := objectSize(head, tag)
	if err != nil {
		return nil, fail.CardDataBroken.Because(err)
	}
	if size <= len(head) {
		return head[:size], nil
	}
	rest, err := c.readRange(ctx, len(head), size-len(head))
	if err != nil {
		return nil, err
	}
	return append(head, rest...), nil
}

// objectSize reads how long the object is that begins with head, header included.
func objectSize(head, tag []byte) (int, error) {
	if !bytes.HasPrefix(head, tag) {
		return 0, errBlank
	}
	length, width, err := readLength(head[len(tag):])
	if err != nil {
		return 0, err
	}
	return len(tag) + width + length, nil
}

// maxLengthBytes is the longest length field, 82 hh ll: no file of a card is larger.
const maxLengthBytes = 3

// readLength reads a definite length of at most two bytes (X.690 8.1.3) and its own width.
// The indefinite form and anything above 64 kB is refused before memory is asked for.
func readLength(data []byte) (length, width int, err error) {
	switch {
	case len(data) >= 1 && data[0] < 0x80:
		return int(data[0]), 1, nil
	case len(data) >= 2 && data[0] == 0x81:
		return int(data[1]), 2, nil
	case len(data) >= 3 && data[0] == 0x82:
		return int(data[1])<<8 | int(data[2]), 3, nil
	}
	return 0, 0, errLengthForm
}
