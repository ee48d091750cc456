"""The room `permit`: rules, reviews and the organisation's signed decision. Its verb is `review`; nothing is served without it."""
