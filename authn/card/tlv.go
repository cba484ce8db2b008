package card

import "errors"

var (
	errTagForm   = errors.New("a tag in a form that cards do not use")
	errTruncated = errors.New("an object that ends behind its file")
)

// object is one BER-TLV object: whole is tag, length and value as they stand in the file.
type object struct {
	tag   uint16
	value []byte
	whole []byte
}

// readTLV takes the first object off data. Tags have one or two bytes, lengths one to three.
func readTLV(data []byte) (object, []byte, error) {
	tag, tagWidth, err := readTag(data)
	if err != nil {
		return object{}, nil, err
	}
	length, width, err := readLength(data[tagWidth:])
	if err != nil {
		return object{}, nil, err
	}
	start := tagWidth + width
	if length > len(data)-start {
		return object{}, nil, errTruncated
	}
	end := start + length
	return object{tag, data[start:end:end], data[:end:end]}, data[end:], nil
}

// readTag knows that low bits all set announce a second byte, whose bit 8 would announce a third (X.690 8.1.2).
func readTag(data []byte) (tag uint16, width int, err error) {
	switch {
	case len(data) == 0:
		return 0, 0, errTruncated
	case data[0]&0x1F != 0x1F:
		return uint16(data[0]), 1, nil
	case len(data) == 1:
		return 0, 0, errTruncated
	case data[1]&0x80 != 0:
		return 0, 0, errTagForm
	}
	return uint16(data[0])<<8 | uint16(data[1]), 2, nil
}

var (
	errNotAlone  = errors.New("a file that is not exactly one object of its kind")
	errNotOfKind = errors.New("an object with members missing, doubled or unknown")
)

// onlyTLV reads data that is one object with this tag and nothing else.
func onlyTLV(data []byte, tag uint16) (object, error) {
	o, rest, err := readTLV(data)
	if err != nil {
		return object{}, err
	}
	if o.tag != tag || len(rest) != 0 {
		return object{}, errNotAlone
	}
	return o, nil
}

// members reads a value that holds each of the tags exactly once, in any order, and no other.
func members(value []byte, tags ...uint16) (map[uint16]object, error) {
	wanted := make(map[uint16]bool, len(tags))
	for _, tag := range tags {
		wanted[tag] = true
	}
	found := make(map[uint16]object, len(tags))
	for rest := value; len(rest) > 0; {
		o, behind, err := readTLV(rest)
		if err != nil {
			return nil, err
		}
		if _, doubled := found[o.tag]; doubled || !wanted[o.tag] {
			return nil, errNotOfKind
		}
		found[o.tag], rest = o, behind
	}
	if len(found) != len(tags) {
		return nil, errNotOfKind
	}
	return found, nil
}
