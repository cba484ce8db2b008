package cardtest

// tlv encodes one BER-TLV object; tags above FF have two bytes, lengths one to three.
func tlv(tag uint16, members ...[]byte) []byte {
	var value []byte
	for _, m := range members {
		value = append(value, m...)
	}
	return append(head(tag, len(value)), value...)
}

func head(tag uint16, length int) []byte {
	var h []byte
	if tag > 0xFF {
		h = append(h, byte(tag>>8))
	}
	h = append(h, byte(tag))
	switch {
	case length < 0x80:
		return append(h, byte(length))
	case length < 0x100:
		return append(h, 0x81, byte(length))
	}
	return append(h, 0x82, byte(length>>8), byte(length))
}
