package claims

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParsePrintedBirth(t *testing.T) {
	for _, tc := range []struct {
		name, printed, want string
		err                 error
	}{
		{"the first year of an era as a word", "令和元年5月1日", "2019-05-01", nil},
		{"the first year of an era as a number", "令和1年5月1日", "2019-05-01", nil},
		{"the day before it began", "令和元年4月30日", "", ErrEra},
		{"the last day of Taisho", "大正15年12月25日", "1926-12-25", nil},
		{"the day after", "大正15年12月26日", "", ErrEra},
		{"the last day of Meiji", "明治45年7月30日", "1912-07-30", nil},
		{"the first day of Taisho", "大正元年7月30日", "1912-07-30", nil},
		{"the first day of the new calendar", "明治6年1月1日", "1873-01-01", nil},
		{"the old calendar", "明治5年12月2日", "", ErrEra},
		{"a letter", "H2.10.10", "1990-10-10", nil},
		{"a letter with a dot", "S.60.4.1", "1985-04-01", nil},
		{"full-width letters are none", "Ｓ60.4.1", "", ErrPrinted},
		{"slashes", "1990/1/2", "1990-01-02", nil},
		{"full-width digits and marks", "平成２．１０．１０", "1990-10-10", nil},
		{"spaces where they stand", " 平成 2年 10月　10日 ", "1990-10-10", nil},
		{"two digits each", "平成02年01月08日", "1990-01-08", nil},
		{"a sign for the era", "㋿7年1月1日", "2025-01-01", nil},
		{"29 February of a leap year", "平成12年2月29日", "2000-02-29", nil},
		{"29 February of another year", "平成13年2月29日", "", ErrDate},
		{"31 April", "昭和60年4月31日", "", ErrDate},
		{"month zero", "昭和60年0月1日", "", ErrDate},
		{"day zero", "昭和60年4月0日", "", ErrDate},
		{"month zero with marks", "S60.0.1", "", ErrDate},
		{"year zero of no era", "0000年1月1日", "", ErrDate},
		{"the day is unknown", "昭和60年4月日不詳", "1985-04-00", nil},
		{"month and day are unknown", "昭和60年月日不詳", "1985-00-00", nil},
		{"month and day are not clear", "昭和60年不明", "1985-00-00", nil},
		{"an unknown day in an era's last month", "昭和64年1月日不詳", "1989-01-00", nil},
		{"an unknown day in a month outside of it", "昭和64年2月日不詳", "", ErrEra},
		{"a year that ends without a word", "昭和60年", "", ErrPrinted},
		{"a month that ends without a word", "昭和60年4月", "", ErrPrinted},
		{"a known day and a word for unknown", "昭和60年4月1日不詳", "", ErrPrinted},
		{"a day without a month", "昭和60年1日", "", ErrPrinted},
		{"three digits in an era", "昭和100年1月1日", "", ErrEra},
		{"a western year in an era", "平成1990年1月1日", "", ErrPrinted},
		{"two digits of no era", "90年1月1日", "", ErrPrinted},
		{"the first year of no era", "元年1月1日", "", ErrPrinted},
		{"an era that is not there", "光文元年1月1日", "", ErrPrinted},
		{"kanji digits", "平成二年十月十日", "", ErrPrinted},
		{"something behind it", "平成2年10月10日生まれ", "", ErrPrinted},
		{"nothing", "", "", ErrPrinted},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ParsePrintedBirth(tc.printed)
			if !errors.Is(err, tc.err) || err == nil && got.ISO() != tc.want || err != nil && got != (PartialDate{}) {
				t.Errorf("%s, %v", got.ISO(), err)
			}
		})
	}
}

// Whatever day a certificate has, as its era is printed it is the same day.
func TestPrintedAndEncodedDatesAgree(t *testing.T) {
	names := strings.Fields(eraLines)
	rapid.Check(t, func(t *rapid.T) {
		day := time.Date(1873, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 60000).Draw(t, "day"))
		era := rapid.IntRange(1, 5).Draw(t, "era")
		encoded, check, err := ParseCertificateBirth(fmt.Sprintf("%d%s", era, day.Format("20060102")))
		if err != nil {
			t.Fatal(err)
		}
		name := names[3*(era-1)+rapid.IntRange(0, 2).Draw(t, "name")]
		year := day.Year() - firstYears[era]
		printed, err := ParsePrintedBirth(fmt.Sprintf("%s%d年%d月%d日", name, year, day.Month(), day.Day()))
		switch {
		case (err == nil) != (check == EraAgrees), year > 0 && check == EraContradicts && !errors.Is(err, ErrEra):
			t.Fatalf("%s in era %d: %v", day.Format(time.DateOnly), era, err)
		case err == nil && printed != encoded:
			t.Fatalf("%s is not %s", printed.ISO(), encoded.ISO())
		}
	})
}

func FuzzParsePrintedBirth(f *testing.F) {
	f.Add("昭和60年4月日不詳")
	f.Add("H2.10.10")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePrintedBirth(s)
		if again, e := ParseISO(p.ISO()); err == nil && (e != nil || again != p) {
			t.Errorf("%s is no day", p.ISO())
		}
	})
}
