// What only the pages of signed-in customers need.
import './js/places.js'
