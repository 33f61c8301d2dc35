"""How well services keep their promises and people their sleep: objectives, pager load, what to tune down."""
