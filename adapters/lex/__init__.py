"""Amazon Lex V2: the runtime, the bot builder and the embedded engine that speaks its terms."""
