package mynumber

// Individual says whether twelve ASCII digits are an individual number by their check digit (Ministry of Internal
// Affairs ordinance 85 of 2014, art. 5): 11 less the remainder of the weighted sum by 11, or 0 when that remainder is 0 or 1.
// From the left the weights are 6 5 4 3 2 7 6 5 4 3 2.
func Individual(digits string) bool {
	if len(digits) != individualLength || !ascii(digits) {
		return false
	}
	sum := 0
	for i := range individualLength - 1 {
		n := individualLength - 1 - i // counted from the right, the check digit left out
		weight := n + 1
		if n >= 7 {
			weight = n - 5
		}
		sum += weight * int(digits[i]-'0')
	}
	check := 11 - sum%11
	if check > 9 {
		check = 0
	}
	return digits[individualLength-1] == byte('0'+check)
}

// Corporate says whether thirteen ASCII digits are a corporate number by their check digit, which is the first one:
// 9 less the remainder by 9 of the sum in which every second digit from the right counts twice. Such numbers are public.
func Corporate(digits string) bool {
	if len(digits) != corporateLength || !ascii(digits) {
		return false
	}
	sum := 0
	for i := 1; i < corporateLength; i++ {
		sum += (1 + i%2) * int(digits[i]-'0') // i = 12 is the rightmost and counts once
	}
	return digits[0] == byte('0'+9-sum%9)
}

const (
	individualLength = 12
	residentLength   = 11 // resident record code; no check digit rule is published, so a word beside it has to tell
	corporateLength  = 13
)

func ascii(digits string) bool {
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return true
}
