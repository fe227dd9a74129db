module teu

go 1.19
