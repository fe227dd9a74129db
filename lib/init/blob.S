/* blob: the helper's bytes, for sandbox/spawn to put into a sealed memfd. */
	.section .rodata
	.global teu_init_bytes, teu_init_end
	.hidden teu_init_bytes, teu_init_end
	.balign 16
teu_init_bytes:
	.incbin "lib/init/teu-init"
teu_init_end:
	.byte 0
	.section .note.GNU-stack,"",%progbits
