// Package mynumber owns what an individual number (My Number) and the codes beside it look like, and finds them where they
// must not be: in free text, under any digits and separators that people and machines write, also when encoded.
// It refuses to know what happens then, and it never gives back what it found: a finding is a rule, a place and a length
// (R1, R3). A check digit alone proves little, one in ten random numbers of twelve digits has it; so this is the last layer,
// for fields that are free text. Fields with a syntax of their own are held to that syntax instead.
package mynumber
